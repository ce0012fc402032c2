//! Whose file a request means, by its path and headers.

use actix_web::HttpRequest;
use coffer_api::paths::headers::{FILE_VERSION, OWNER};
use coffer_core::{EmailAddress, FileName};
use coffer_server::Failure;
use percent_encoding::percent_decode_str;

use crate::domain::library::Wanted;

/// The greatest version: what every JSON reader keeps exactly.
const VERSION_MAX: u64 = (1 << 53) - 1;

/// A file as a request names it.
#[derive(Debug)]
pub(super) struct Named {
    name: FileName,
    owner: Option<EmailAddress>,
}

impl Named {
    /// The file whose name is what stands behind `prefix` in the path.
    ///
    /// It is read from the path as it was sent, its escapes undone exactly once, because a name is data: `a%2Fb` and
    /// `a/b` are the same, `%252F` is one with a percent sign in it.
    pub(super) fn of(request: &HttpRequest, prefix: &str) -> Result<Self, Failure> {
        let rest = request.uri().path().strip_prefix(prefix).unwrap_or_default();
        let name = percent_decode_str(rest).decode_utf8();
        let name = name.map_err(|_| Failure::field("name", "is not valid UTF-8"))?;
        let name = name.parse().map_err(|error| Failure::field("name", format!("{error}")))?;
        Ok(Self { name, owner: owner(request)? })
    }

    /// The name, and whose.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted { name: &self.name, owner: self.owner.as_ref() }
    }

    /// The name.
    pub(super) fn name(&self) -> &FileName {
        &self.name
    }
}

fn owner(request: &HttpRequest) -> Result<Option<EmailAddress>, Failure> {
    let Some(owner) = request.headers().get(OWNER) else { return Ok(None) };
    let owner = std::str::from_utf8(owner.as_bytes()).ok().and_then(|owner| owner.parse().ok());
    owner.map(Some).ok_or_else(|| Failure::field(OWNER, "is not an e-mail address"))
}

/// The version that an upload says it is.
pub(super) fn version(request: &HttpRequest) -> Result<u64, Failure> {
    let given = request.headers().get(FILE_VERSION);
    let given = given.ok_or_else(|| Failure::field(FILE_VERSION, "is required"))?;
    let digits = given.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    checked(FILE_VERSION, digits.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// The version, if it can be one.
pub(super) fn checked(field: &'static str, version: u64) -> Result<u64, Failure> {
    let is_one = (1..=VERSION_MAX).contains(&version);
    is_one.then_some(version).ok_or_else(|| Failure::field(field, "is a number from 1 to 9007199254740991"))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn named(path: &str) -> Result<Named, Failure> {
        Named::of(&TestRequest::with_uri(path).to_http_request(), "/api/v1/files/")
    }

    #[test]
    fn a_name_is_the_rest_of_the_path_decoded_once() {
        for (path, name) in [
            ("a/b", "a/b"),
            ("a%2Fb", "a/b"),
            ("%252F", "%2F"),
            ("a+b%20c", "a+b c"),
            ("%E5%A0%B1", "報"),
            ("..a", "..a"),
        ] {
            assert_eq!(named(&format!("/api/v1/files/{path}")).unwrap().name().as_str(), name, "{path}");
        }
        for path in ["%ff", "%2e%2e", "a//b", "%00", "a%5Cb", "a/", &"a".repeat(1025)] {
            let refused = named(&format!("/api/v1/files/{path}")).unwrap_err();
            assert_eq!(refused.fields[0].field, "name", "{path}");
        }
    }

    #[test]
    fn an_owner_is_an_address_and_a_version_a_number_that_json_keeps() {
        let with = |name: &'static str, value: &'static str| {
            TestRequest::default().insert_header((name, value)).to_http_request()
        };
        assert!(owner(&with(OWNER, "ann@example.com")).unwrap().is_some());
        assert_eq!(owner(&with(OWNER, "ann")).unwrap_err().fields[0].field, OWNER);
        assert_eq!(version(&with(FILE_VERSION, "9007199254740991")).unwrap(), VERSION_MAX);
        for wrong in ["", "0", "-1", "+1", "1.0", "x", "9007199254740992", "99999999999999999999"] {
            assert!(version(&with(FILE_VERSION, wrong)).is_err(), "{wrong:?}");
        }
        assert!(version(&TestRequest::default().to_http_request()).is_err());
    }
}
