//! What a server says when it refuses, on either surface, and what something between us and it may say.

use std::fmt;
use std::time::Duration;

use coffer_api::contract::validation::{Location, ValidationError, ValidationErrors};
use coffer_api::files::Answer;
use coffer_api::paths::headers::REQUEST_ID;
use coffer_api::{ErrorCode, FieldError, Problem};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// What a server said when it refused.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The server's code, if this program knows it.
    pub code: Option<ErrorCode>,
    /// What the server said, for people.
    pub message: String,
    /// The fields that are wrong.
    pub errors: Vec<FieldError>,
    /// When to come back.
    pub retry_after: Option<Duration>,
    /// Names the request in the server's log.
    pub request_id: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for error in &self.errors {
            write!(f, "; {}: {}", error.field, error.message)?;
        }
        match &self.request_id {
            Some(id) if self.status >= 500 => write!(f, " (request {id})"),
            _ => Ok(()),
        }
    }
}

/// What an answer that is no success says.
pub(crate) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let retry_after = text(RETRY_AFTER.as_str()).and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let request_id = text(REQUEST_ID).map(str::to_owned);
    let (code, message, errors) = meaning(status, body);
    Refusal { status: status.as_u16(), code, message, errors, retry_after, request_id }
}

fn meaning(status: StatusCode, body: &[u8]) -> (Option<ErrorCode>, String, Vec<FieldError>) {
    if let Ok(problem) = serde_json::from_slice::<Problem>(body) {
        let message = problem.detail.clone().unwrap_or_else(|| problem.title.clone());
        return (problem.error_code(), message.into_owned(), problem.errors);
    }
    if let Ok(answer) = serde_json::from_slice::<Answer>(body)
        && let Some(code) = ErrorCode::from_text(&answer.message)
    {
        return (Some(code), code.title().to_owned(), Vec::new());
    }
    if let Ok(invalid) = serde_json::from_slice::<ValidationErrors>(body) {
        let errors = invalid.detail.into_iter().map(field_error).collect();
        return (Some(ErrorCode::InvalidInput), ErrorCode::InvalidInput.title().to_owned(), errors);
    }
    let code = match status.as_u16() {
        413 => Some(ErrorCode::BodyTooLarge),
        429 => Some(ErrorCode::RateLimited),
        422 => Some(ErrorCode::InvalidInput),
        _ => None,
    };
    (code, format!("the server answered {status}"), Vec::new())
}

/// The field by its name; `body`, `query` and `path` before it tell a person nothing.
fn field_error(error: ValidationError) -> FieldError {
    let field = match error.loc.last() {
        Some(Location::Name(name)) => name.clone(),
        Some(Location::Index(index)) => index.to_string(),
        None => "request".to_owned(),
    };
    FieldError::new(field, error.msg)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(status: u16, body: &str) -> Option<ErrorCode> {
        meaning(StatusCode::from_u16(status).unwrap(), body.as_bytes()).0
    }

    #[test]
    fn both_surfaces_say_the_same_by_their_own_forms() {
        let problem = serde_json::to_string(&Problem::of(ErrorCode::FileExists)).unwrap();
        assert_eq!(code_of(409, &problem), Some(ErrorCode::FileExists));
        assert_eq!(code_of(409, r#"{"code":409,"message":"file_exists"}"#), Some(ErrorCode::FileExists));
    }

    #[test]
    fn the_contracts_422_says_which_field_is_wrong() {
        let body =
            r#"{"detail":[{"type":"missing","loc":["body","file_name"],"msg":"Field required","input":{}}]}"#;
        let refusal = refusal(StatusCode::UNPROCESSABLE_ENTITY, &HeaderMap::new(), body.as_bytes());
        assert_eq!(refusal.code, Some(ErrorCode::InvalidInput));
        assert_eq!(refusal.errors, [FieldError::new("file_name", "Field required")]);
    }

    #[test]
    fn an_answer_from_something_in_between_keeps_its_status() {
        assert_eq!(code_of(413, "<html>too large</html>"), Some(ErrorCode::BodyTooLarge));
        assert_eq!(code_of(502, ""), None);
        let (_, message, _) = meaning(StatusCode::BAD_GATEWAY, b"");
        assert_eq!(message, "the server answered 502 Bad Gateway");
    }

    #[test]
    fn a_newer_servers_code_is_told_in_its_own_words() {
        let body = r#"{"type":"urn:x","title":"Brand new","status":418,"code":"brand_new"}"#;
        let (code, message, _) = meaning(StatusCode::IM_A_TEAPOT, body.as_bytes());
        assert_eq!((code, message.as_str()), (None, "Brand new"));
    }
}
