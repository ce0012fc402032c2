//! The page at `/` and `/app`. The web application is not part of this version, and the page says so.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};

use super::contract::configs;

const PAGE: &str = include_str!("page.html");
/// The page brings its own style and needs nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(PAGE)
}

/// `/`: the page for whoever asks for one, and for programs what this service is.
pub(super) async fn front(request: HttpRequest) -> HttpResponse {
    let wants_page = request.headers().get_all(header::ACCEPT).any(|accept| {
        let ranges = accept.to_str().unwrap_or_default().split(',');
        ranges.map(|range| range.split(';').next().unwrap_or_default().trim()).any(|kind| kind == "text/html")
    });
    let mut response = if wants_page { page().await } else { HttpResponse::Ok().json(configs::about()) };
    response.headers_mut().append(header::VARY, header::HeaderValue::from_static("Accept"));
    response
}
