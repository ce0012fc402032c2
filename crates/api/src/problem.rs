//! Errors of the native surface: RFC 9457 problem documents.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ErrorCode;

/// The media type of a problem document.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What is wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// The field, as a path with dots: `email`, `items.3.name`.
    #[schema(value_type = String)]
    pub field: Cow<'static, str>,
    /// What is wrong with it, for people.
    #[schema(value_type = String)]
    pub message: Cow<'static, str>,
}

impl FieldError {
    /// Says what is wrong with `field`.
    pub fn new(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// An RFC 9457 problem document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A name for this kind of problem: `urn:coffer:error:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// One sentence about this kind of problem.
    #[schema(value_type = String)]
    pub title: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub detail: Option<Cow<'static, str>>,
    /// The stable code, in snake case. Text, so that an older client survives a newer code.
    #[schema(value_type = String)]
    pub code: Cow<'static, str>,
    /// Names this request in the server's log.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// The fields that are wrong, when fields are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// The problem document of `code`, without particulars.
    pub fn of(code: ErrorCode) -> Self {
        Self {
            kind: format!("urn:coffer:error:{code}"),
            title: Cow::Borrowed(code.title()),
            status: code.status(),
            detail: None,
            code: Cow::Borrowed(code.as_str()),
            request_id: String::new(),
            errors: Vec::new(),
        }
    }

    /// The code, if this program knows it.
    pub fn error_code(&self) -> Option<ErrorCode> {
        ErrorCode::from_text(&self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_keeps_its_code_over_the_wire() {
        let problem = Problem { request_id: "r1".into(), ..Problem::of(ErrorCode::FileExists) };
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "type": "urn:coffer:error:file_exists", "title": "There is a file of this name already",
                "status": 409, "code": "file_exists", "request_id": "r1"
            })
        );
        let back: Problem = serde_json::from_value(json).unwrap();
        assert_eq!(back.error_code(), Some(ErrorCode::FileExists));
    }
}
