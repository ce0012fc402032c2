//! A key at the end of a path.

use std::borrow::Cow;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use coffer_api::contract::kv::check_key;
use coffer_api::contract::validation::{Location, ValidationError, Violation};
use coffer_server::DetailContract;
use coffer_server::extract::ContractRejection;
use futures_util::future::{Ready, ready};
use percent_encoding::percent_decode_str;

use crate::domain::kv::Key;

/// The key that everything behind the first segment of the path names.
///
/// It is read from the path as it was sent, its escapes undone exactly once, because a key is a name: `a%2Fb` and
/// `a/b` are the same key, `%252F` is one with a percent sign in it, and nothing means "one level up".
#[derive(Debug)]
pub(super) struct PathKey(pub(super) Key);

impl FromRequest for PathKey {
    type Error = ContractRejection<DetailContract>;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(key_in(request.uri().path()).map(Self).map_err(|violation| vec![refused(violation)].into()))
    }
}

fn key_in(path: &str) -> Result<Key, Violation> {
    let text = rest_of(path)?;
    check_key(&text)?;
    text.parse().map_err(|_| Violation::value("not a key"))
}

/// Everything behind the first segment of the path, its escapes undone exactly once.
pub(super) fn rest_of(path: &str) -> Result<Cow<'_, str>, Violation> {
    let rest = path.trim_start_matches('/').split_once('/').map_or("", |(_, rest)| rest);
    percent_decode_str(rest).decode_utf8().map_err(|_| Violation::value("not valid UTF-8"))
}

/// What is wrong with the key in a path, as the contracts say it.
pub(super) fn refused(violation: Violation) -> ValidationError {
    let Violation { kind, msg, ctx } = violation;
    let loc = vec![Location::from("path"), Location::from("key")];
    ValidationError { kind: kind.to_owned(), loc, msg, input: serde_json::Value::Null, ctx }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_rest_of_the_path_decoded_once() {
        let keys = [
            ("/retrieve/a/b", "a/b"),
            ("/retrieve/a%2Fb", "a/b"),
            ("/retrieve/..%2f..%2Fetc", "../../etc"),
            ("/retrieve/..", ".."),
            ("/retrieve/%2Fa//", "/a//"),
            ("/retrieve/%252F", "%2F"),
            ("/retrieve/a+b%20c", "a+b c"),
            ("/retrieve/%00%0A", "\0\n"),
            ("/retrieve/%E5%A0%B1", "報"),
        ];
        for (path, key) in keys {
            assert_eq!(key_in(path).unwrap().as_str(), key, "{path}");
        }
    }

    #[test]
    fn what_is_no_key_says_why() {
        let kind = |path: &str| key_in(path).unwrap_err().kind;
        assert_eq!(kind("/retrieve/"), "string_too_short");
        assert_eq!(kind("/retrieve/%ff"), "value_error");
        assert_eq!(kind(&format!("/retrieve/{}", "a".repeat(1025))), "string_too_long");
    }
}
