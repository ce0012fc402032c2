//! Cross-origin requests: off unless `http.cors_origins` names the origins that may.
//!
//! Sessions travel in a header that a page must set itself, never in a cookie, so credentials are not
//! allowed across origins and a wildcard is not needed.

use std::fmt;
use std::str::FromStr;

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};

use crate::settings::List;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, sid, content-type, x-request-id, traceparent, idempotency-key, if-match",
);
const EXPOSED: HeaderValue = HeaderValue::from_static("x-request-id, retry-after, etag");
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("600");

/// An origin (RFC 6454): scheme, host and port, as browsers write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// A text that is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an origin such as https://app.example.com, without a path")]
pub struct OriginError;

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let url = url::Url::parse(text).map_err(|_| OriginError)?;
        let origin = url.origin();
        if !origin.is_tuple() || origin.ascii_serialization() != text.trim_end_matches('/') {
            return Err(OriginError);
        }
        Ok(Self(origin.ascii_serialization()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The origin that `request` comes from, if it may call.
pub(crate) fn allowed(request: &ServiceRequest, origins: &List<Origin>) -> Option<HeaderValue> {
    if origins.is_empty() {
        return None;
    }
    let origin = request.headers().get(header::ORIGIN)?;
    origins.iter().any(|allowed| allowed.0.as_bytes() == origin.as_bytes()).then(|| origin.clone())
}

/// Whether `request` only asks what it would be allowed to do.
pub(crate) fn is_preflight(request: &ServiceRequest) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to such a question.
pub(crate) fn preflight() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_S))
        .finish()
}

/// Marks an answer as readable for `origin`.
pub(crate) fn mark(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_no_path_and_no_wildcard() {
        assert!("https://app.example.com".parse::<Origin>().is_ok());
        assert!("http://localhost:5173".parse::<Origin>().is_ok());
        for text in ["*", "null", "https://app.example.com/x", "app.example.com", "https://"] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }
}
