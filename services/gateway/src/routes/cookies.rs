//! Sessions of browsers: a cookie that no script can read, on the native surface only.
//!
//! A browser sends a cookie whoever made the page, so a request that changes something must also prove that
//! our own page sent it: by a header of ours, which no other origin's page can set without our leave, and by
//! naming our own origin. `SameSite=Strict` keeps the cookie away from most others already.

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use coffer_api::paths::headers::{CSRF, SID};
use coffer_api::{ErrorCode, paths};
use coffer_core::{ExposeSecret as _, SecretString};
use coffer_server::Failure;

/// The cookie with the session's token. The prefix makes browsers insist on `Secure`, on the whole site and
/// on this very host.
pub(super) const SESSION_COOKIE: &str = "__Host-coffer";
/// The cookie that makes the device recognised.
pub(super) const DEVICE_COOKIE: &str = "__Host-coffer-device";
/// How long a device is remembered, in seconds: 180 days.
pub(super) const DEVICE_COOKIE_S: i64 = 180 * 24 * 3600;

/// The value of a cookie, if it is sent.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut cookies = headers.get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    cookies.find_map(|line| {
        let mut pairs = line.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    })
}

/// A `Set-Cookie` that keeps `value` for so many seconds; 0 takes the cookie away.
pub(super) fn set_cookie(name: &str, value: &SecretString, max_age_s: i64) -> Option<HeaderValue> {
    let value = value.expose_secret();
    let line = format!("{name}={value}; Path=/; Max-Age={max_age_s}; Secure; HttpOnly; SameSite=Strict");
    let mut line = HeaderValue::try_from(line).ok()?;
    line.set_sensitive(true);
    Some(line)
}

/// The `Set-Cookie` that takes the session's cookie away.
pub(super) fn no_session_cookie() -> Option<HeaderValue> {
    set_cookie(SESSION_COOKIE, &SecretString::from(""), 0)
}

/// Turns the cookie of a native request into the session's header. Headers that say who calls go first.
pub(crate) fn admit(request: &mut ServiceRequest) -> Result<(), Failure> {
    let headers = request.headers();
    if !request.path().starts_with(paths::v1::PREFIX)
        || headers.contains_key(SID)
        || headers.contains_key(header::AUTHORIZATION)
    {
        return Ok(());
    }
    let Some(token) = cookie(headers, SESSION_COOKIE) else { return Ok(()) };
    let value = HeaderValue::from_str(token).map_err(|_| Failure::of(ErrorCode::InvalidSession))?;
    if !is_safe(request.method()) {
        check_own_page(headers)?;
    }
    request.headers_mut().insert(HeaderName::from_static(SID), value);
    Ok(())
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Refuses what a page of another origin could have sent.
pub(super) fn check_own_page(headers: &HeaderMap) -> Result<(), Failure> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST);
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let own_origin = origin.is_some() && origin == host && site.is_none_or(|site| site == b"same-origin");
    if own_origin && headers.contains_key(CSRF) {
        return Ok(());
    }
    Err(Failure::of(ErrorCode::CrossSiteRequest))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn admitted(request: TestRequest) -> Result<Option<String>, ErrorCode> {
        let mut request = request.to_srv_request();
        admit(&mut request).map_err(|failure| failure.code)?;
        Ok(request.headers().get(SID).map(|value| value.to_str().unwrap().to_owned()))
    }

    fn post() -> TestRequest {
        TestRequest::post()
            .uri("/api/v1/kv/a")
            .insert_header(("host", "coffer.example"))
            .insert_header(("cookie", "a=b; __Host-coffer=token"))
    }

    #[test]
    fn a_cookie_counts_on_the_native_surface_only_and_after_headers() {
        let get = |uri: &str| TestRequest::get().uri(uri).insert_header(("cookie", "__Host-coffer=token"));
        assert_eq!(admitted(get("/api/v1/me")), Ok(Some("token".into())));
        assert_eq!(admitted(get("/me")), Ok(None));
        let both = get("/api/v1/me").insert_header((SID, "other"));
        assert_eq!(admitted(both), Ok(Some("other".into())));
        let other = TestRequest::get().uri("/api/v1/me").insert_header(("cookie", "x__Host-coffer=token"));
        assert_eq!(admitted(other), Ok(None));
    }

    #[test]
    fn what_changes_something_must_come_from_our_own_page() {
        let own = |request: TestRequest| request.insert_header(("origin", "https://coffer.example"));
        let other = |request: TestRequest| request.insert_header(("origin", "https://evil.example"));
        let with_csrf = |request: TestRequest| request.insert_header((CSRF, "1"));
        assert_eq!(admitted(with_csrf(own(post()))), Ok(Some("token".into())));
        for request in [
            post(),
            own(post()),
            with_csrf(post()),
            with_csrf(other(post())),
            with_csrf(own(post())).insert_header(("sec-fetch-site", "cross-site")),
        ] {
            assert_eq!(admitted(request), Err(ErrorCode::CrossSiteRequest));
        }
    }

    #[test]
    fn a_cookie_is_kept_from_scripts_and_other_sites() {
        let line = set_cookie(SESSION_COOKIE, &"token".into(), 60).unwrap();
        let line = line.to_str().unwrap();
        for part in ["__Host-coffer=token;", "Path=/", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age=60"]
        {
            assert!(line.contains(part), "{part} in {line}");
        }
    }
}
