//! The shape of a refused request: HTTP 422 with one entry for each thing that is wrong.
//!
//! A request type lists its fields ([`Request::FIELDS`]) beside the struct that reads them. The fast path
//! never looks at the list; only when reading failed does the server walk it, to say which field is wrong
//! and why, as the source systems' framework (`FastAPI` with pydantic 2) says it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The body of a 422 answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidationErrors {
    /// What is wrong, one entry each.
    pub detail: Vec<ValidationError>,
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidationError {
    /// The kind: `missing`, `string_type`, `json_invalid`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Where: `body`, `query` or `path`, then the field, or the offset in a text that is not JSON.
    #[schema(value_type = Vec<String>)]
    pub loc: Vec<Location>,
    /// What is wrong, for people.
    pub msg: String,
    /// What was sent there; secrets are left out.
    #[schema(value_type = Object)]
    pub input: Value,
    /// Particulars of the kind, such as the limit that was passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub ctx: Option<Value>,
}

/// One step on the way to what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Location {
    /// An index or an offset.
    Index(usize),
    /// A part of the request or a field.
    Name(String),
}

impl From<&str> for Location {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The kind, as in [`ValidationError::kind`].
    pub kind: &'static str,
    /// What is wrong, for people.
    pub msg: String,
    /// Particulars of the kind.
    pub ctx: Option<Value>,
}

impl Violation {
    /// A value that is of the right type but not acceptable.
    pub fn value(reason: &str) -> Self {
        Self {
            kind: "value_error",
            msg: format!("Value error, {reason}"),
            ctx: Some(serde_json::json!({ "error": reason })),
        }
    }

    /// A text with more than `max` characters or bytes; `unit` says which.
    pub fn too_long(max: usize, unit: &str) -> Self {
        Self {
            kind: "string_too_long",
            msg: format!("String should have at most {max} {unit}"),
            ctx: Some(serde_json::json!({ "max_length": max })),
        }
    }

    /// A text that is empty where it must not be.
    pub fn too_short() -> Self {
        Self {
            kind: "string_too_short",
            msg: "String should have at least 1 character".to_owned(),
            ctx: Some(serde_json::json!({ "min_length": 1 })),
        }
    }
}

/// What a field may hold.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text that passes this check.
    Text(fn(&str) -> Result<(), Violation>),
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// Anything, `null` included.
    Any,
}

/// One field of a request.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// Whether what was sent must never be echoed.
    pub secret: bool,
}

impl Field {
    /// A text that must be there.
    pub const fn text(name: &'static str, check: fn(&str) -> Result<(), Violation>) -> Self {
        Self { name, kind: Kind::Text(check), required: true, secret: false }
    }

    /// The same field, which may be absent or null.
    #[must_use]
    pub const fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    /// The same field, which is never echoed.
    #[must_use]
    pub const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }
}

/// A request of a contract surface.
pub trait Request {
    /// Every field that the request reads.
    const FIELDS: &'static [Field];
}
