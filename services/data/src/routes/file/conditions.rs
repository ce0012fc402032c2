//! Conditions of a request (RFC 9110, section 13): what its headers say, for the domain to judge.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderName};

use crate::domain::native::{Condition, Tags};

/// What a request makes a condition.
pub(super) fn of(request: &HttpRequest) -> Condition {
    let headers = request.headers();
    Condition {
        // Section 13.1.1: the strong comparison, in which a weak tag is like none.
        if_match: tags(headers, &header::IF_MATCH, |tag| tag.strip_prefix('"')),
        // Section 13.1.2: the weak one.
        if_none_match: tags(headers, &header::IF_NONE_MATCH, |tag| {
            tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')
        }),
    }
}

/// Whether a range is asked for only of another version than this one (section 13.1.5): then the whole is sent. There
/// are no dates to compare with.
pub(super) fn is_range_of_another(request: &HttpRequest, tag: &str) -> bool {
    let asked = request.headers().get(header::IF_RANGE);
    asked.is_some_and(|asked| asked.as_bytes() != quoted(tag).as_bytes())
}

/// A tag as it stands in headers.
pub(in crate::routes) fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// The tags of a header, without their quotes. Ours have no comma in them. A header that cannot be read names no file.
fn tags(headers: &HeaderMap, name: &HeaderName, opaque: fn(&str) -> Option<&str>) -> Option<Tags> {
    if !headers.contains_key(name) {
        return None;
    }
    let mut of = Vec::new();
    for tag in headers.get_all(name).flat_map(|value| value.to_str().unwrap_or_default().split(',')) {
        match tag.trim() {
            "*" => return Some(Tags::Any),
            tag => of.extend(opaque(tag).and_then(|tag| tag.strip_suffix('"')).map(str::to_owned)),
        }
    }
    Some(Tags::Of(of))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn of(headers: &[(&'static str, &'static str)]) -> Condition {
        let request =
            headers.iter().fold(TestRequest::default(), |request, header| request.append_header(*header));
        super::of(&request.to_http_request())
    }

    #[test]
    fn a_write_is_compared_strongly_and_what_is_known_weakly() {
        let condition = of(&[("if-match", r#""a", W/"b""#), ("if-match", r#""c""#)]);
        assert!(condition.holds(Some("a")) && condition.holds(Some("c")));
        assert!(!condition.holds(Some("b")) && !condition.holds(None));
        let condition = of(&[("if-none-match", r#""a",W/"b""#)]);
        assert!(
            condition.is_known(Some("a")) && condition.is_known(Some("b")) && !condition.is_known(Some("c"))
        );
        assert!(of(&[("if-match", "*")]).holds(Some("x")) && !of(&[("if-match", "*")]).holds(None));
        assert!(of(&[("if-none-match", "*")]).holds(None) && !of(&[("if-none-match", "*")]).holds(Some("x")));
        assert_eq!(of(&[]), Condition::default());
    }

    #[test]
    fn what_cannot_be_read_names_no_file() {
        for header in ["", "a", "\"a", "a\"", ","] {
            assert!(!of(&[("if-match", header)]).holds(Some("a")), "{header:?}");
            assert!(!of(&[("if-none-match", header)]).is_known(Some("a")), "{header:?}");
        }
    }

    #[test]
    fn a_range_is_sent_of_the_version_that_it_was_asked_of() {
        let another = |value: &'static str| {
            let request = TestRequest::default().insert_header(("if-range", value)).to_http_request();
            is_range_of_another(&request, "a")
        };
        assert!(!another("\"a\""));
        assert!(another("\"b\"") && another("W/\"a\"") && another("Sat, 21 Nov 2026 00:00:00 GMT"));
        assert!(!is_range_of_another(&TestRequest::default().to_http_request(), "a"));
    }
}
