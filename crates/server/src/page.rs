//! Pages for people: who asks for one, and what a browser may do with it.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderMap, HeaderValue};

/// A page brings its own style and needs nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whether a request asks for a page, as browsers do; programs are answered in JSON.
pub fn is_wanted(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).any(|accept| {
        let ranges = accept.to_str().unwrap_or_default().split(',');
        ranges.map(|range| range.split(';').next().unwrap_or_default().trim()).any(|kind| kind == "text/html")
    })
}

/// A page of this HTML. What stands in it that others have written must be [escaped].
pub fn html(page: impl Into<String>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(page.into())
}

/// Says that the answer depends on whether a page is wanted.
pub fn varies(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept"));
    response
}

/// `text` as it may stand between tags.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(kinds: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(kinds))])
    }

    #[test]
    fn browsers_want_pages_and_programs_do_not() {
        for kinds in ["text/html", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "a/b, text/html;q=0.5"]
        {
            assert!(is_wanted(&accept(kinds)), "{kinds}");
        }
        for kinds in ["*/*", "application/json", "text/*", "text/htmlx"] {
            assert!(!is_wanted(&accept(kinds)), "{kinds}");
        }
        assert!(!is_wanted(&HeaderMap::new()));
    }

    #[test]
    fn text_makes_no_tags() {
        assert_eq!(escaped("<b>&amp;</b>"), "&lt;b&gt;&amp;amp;&lt;/b&gt;");
    }
}
