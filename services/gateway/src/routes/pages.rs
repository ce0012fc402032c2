//! The page at `/` and `/app`. The web application is not part of this version, and the page says so.

use actix_web::HttpResponse;
use actix_web::http::header;

const PAGE: &str = include_str!("page.html");
/// The page brings its own style and needs nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(PAGE)
}
