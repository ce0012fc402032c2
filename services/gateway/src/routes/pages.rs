//! The page at `/` and `/app`. The web application is not part of this version, and the page says so.

use actix_web::{HttpRequest, HttpResponse};
use coffer_server::page;

use super::contract::configs;

const PAGE: &str = include_str!("page.html");

pub(super) async fn page() -> HttpResponse {
    page::html(PAGE)
}

/// `/`: the page for whoever asks for one, and for programs what this service is.
pub(super) async fn front(request: HttpRequest) -> HttpResponse {
    let wants_page = page::is_wanted(request.headers());
    page::varies(if wants_page { page::html(PAGE) } else { HttpResponse::Ok().json(configs::about()) })
}
