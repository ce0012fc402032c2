//! What must hold for a key to be changed, from headers (RFC 9110, section 13) or from fields.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderValue};
use coffer_server::Failure;

use crate::domain::kv::Condition;

/// The one condition of a request, if it has one.
pub(super) fn of_request(
    request: &HttpRequest,
    if_revision: Option<u64>,
    if_absent: bool,
) -> Result<Condition, Failure> {
    let headers = request.headers();
    let matched = headers
        .get(header::IF_MATCH)
        .map(|tag| revision_in(tag).ok_or_else(|| Failure::field("If-Match", "is not the ETag of a key")));
    let absent = headers.get(header::IF_NONE_MATCH).map(|tag| match tag.as_bytes() {
        b"*" => Ok(()),
        _ => Err(Failure::field("If-None-Match", "can only be `*` here")),
    });
    let revision = match (matched.transpose()?, if_revision) {
        (Some(_), Some(_)) => return Err(twice()),
        (one, other) => one.or(other),
    };
    of_fields(revision, absent.transpose()?.is_some() || if_absent)
}

/// The condition that two fields state.
pub(super) fn of_fields(if_revision: Option<u64>, if_absent: bool) -> Result<Condition, Failure> {
    match (if_revision, if_absent) {
        (Some(_), true) => Err(twice()),
        (Some(revision), false) => Ok(Condition::Revision(revision)),
        (None, true) => Ok(Condition::Absent),
        (None, false) => Ok(Condition::None),
    }
}

fn twice() -> Failure {
    Failure::field("if_revision", "only one condition at a time")
}

/// The `ETag` of a revision.
pub(super) fn tag(revision: u64) -> String {
    format!("\"{revision}\"")
}

/// Whether the value that the client has is this revision.
pub(super) fn is_known(request: &HttpRequest, revision: u64) -> bool {
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    known.is_some_and(|tags| {
        tags == "*" || tags.split(',').any(|known| known.trim().trim_start_matches("W/") == tag(revision))
    })
}

fn revision_in(value: &HeaderValue) -> Option<u64> {
    value.to_str().ok()?.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn condition(headers: &[(&'static str, &'static str)]) -> Result<Condition, Failure> {
        let request =
            headers.iter().fold(TestRequest::default(), |request, pair| request.insert_header(*pair));
        of_request(&request.to_http_request(), None, false)
    }

    #[test]
    fn headers_state_one_condition_and_what_they_cannot_mean_is_refused() {
        assert_eq!(condition(&[]).unwrap(), Condition::None);
        assert_eq!(condition(&[("if-match", "\"7\"")]).unwrap(), Condition::Revision(7));
        assert_eq!(condition(&[("if-none-match", "*")]).unwrap(), Condition::Absent);
        for headers in [
            &[("if-match", "*")][..],
            &[("if-match", "W/\"7\"")],
            &[("if-match", "7")],
            &[("if-none-match", "\"7\"")],
            &[("if-match", "\"7\""), ("if-none-match", "*")],
        ] {
            assert!(condition(headers).is_err(), "{headers:?}");
        }
        let request = TestRequest::default().insert_header(("if-match", "\"7\"")).to_http_request();
        assert!(of_request(&request, Some(7), false).is_err());
    }

    #[test]
    fn a_client_knows_the_revisions_that_it_names() {
        let known = |tags: &'static str| {
            is_known(&TestRequest::default().insert_header(("if-none-match", tags)).to_http_request(), 7)
        };
        assert!(known("\"7\"") && known("\"1\", W/\"7\"") && known("*"));
        assert!(!known("\"77\"") && !known("7"));
    }
}
