//! How two versions differ.
//!
//! Values are told as they were written, so that numbers are what they are whatever their size. They are read by hand: what
//! a tagged form is read through would make 64-bit numbers of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::raw::{RawJson, also_null};

/// What differs at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "op", rename_all = "snake_case", try_from = "EditFields")]
pub enum KvEdit {
    /// There is a value now.
    Add {
        /// Where: a JSON Pointer (RFC 6901).
        path: String,
        /// The value.
        #[schema(value_type = Object)]
        value: RawJson,
    },
    /// There is no value any more.
    Remove {
        /// Where.
        path: String,
        /// The value that was there.
        #[schema(value_type = Object)]
        value: RawJson,
    },
    /// There is another value.
    Replace {
        /// Where.
        path: String,
        /// The value that was there.
        #[schema(value_type = Object)]
        from: RawJson,
        /// The value that is there.
        #[schema(value_type = Object)]
        to: RawJson,
    },
}

#[derive(Deserialize)]
struct EditFields {
    op: String,
    path: String,
    #[serde(default, deserialize_with = "also_null")]
    value: Option<RawJson>,
    #[serde(default, deserialize_with = "also_null")]
    from: Option<RawJson>,
    #[serde(default, deserialize_with = "also_null")]
    to: Option<RawJson>,
}

impl TryFrom<EditFields> for KvEdit {
    type Error = &'static str;

    fn try_from(fields: EditFields) -> Result<Self, Self::Error> {
        let EditFields { op, path, value, from, to } = fields;
        match (&*op, value, from, to) {
            ("add", Some(value), None, None) => Ok(Self::Add { path, value }),
            ("remove", Some(value), None, None) => Ok(Self::Remove { path, value }),
            ("replace", None, Some(from), Some(to)) => Ok(Self::Replace { path, from, to }),
            _ => Err("not an edit"),
        }
    }
}

/// What is told of bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvDigest {
    /// The media type.
    pub content_type: String,
    /// How many there are.
    pub size_bytes: u64,
    /// Their SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// How two versions differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", try_from = "DiffFields")]
pub enum KvDiff {
    /// Both are JSON: what differs, in the order of the paths; items of arrays are compared by their place, numbers as they
    /// are written, and an object in which a name stands twice as a whole.
    Json {
        /// What differs.
        edits: Vec<KvEdit>,
        /// Whether there is more than is told.
        truncated: bool,
    },
    /// One of them is bytes, or over 4 MiB.
    Bytes {
        /// The one.
        from: KvDigest,
        /// The other.
        to: KvDigest,
    },
}

#[derive(Deserialize)]
struct DiffFields {
    kind: String,
    edits: Option<Vec<KvEdit>>,
    truncated: Option<bool>,
    from: Option<KvDigest>,
    to: Option<KvDigest>,
}

impl TryFrom<DiffFields> for KvDiff {
    type Error = &'static str;

    fn try_from(fields: DiffFields) -> Result<Self, Self::Error> {
        match (&*fields.kind, fields.edits, fields.truncated, fields.from.zip(fields.to)) {
            ("json", Some(edits), Some(truncated), None) => Ok(Self::Json { edits, truncated }),
            ("bytes", None, None, Some((from, to))) => Ok(Self::Bytes { from, to }),
            _ => Err("not a difference"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_survives_its_journey_with_numbers_of_any_size() {
        for text in [
            r#"{"kind":"json","edits":[{"op":"replace","path":"/n","from":1e400,"to":12345678901234567890123},{"op":"add","path":"","value":null},{"op":"remove","path":"/a","value":{"b":1.50}}],"truncated":true}"#,
            r#"{"kind":"bytes","from":{"content_type":"a/b","size_bytes":1,"sha256":"ab"},"to":{"content_type":"a/b","size_bytes":2,"sha256":"cd"}}"#,
        ] {
            let diff: KvDiff = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&diff).unwrap(), text);
        }
        for wrong in [
            r#"{"kind":"json","edits":[],"truncated":false,"from":null,"to":7}"#,
            r#"{"kind":"none"}"#,
            r#"{"kind":"json","truncated":true}"#,
            r#"{"kind":"json","truncated":true,"edits":[{"op":"add","path":""}]}"#,
        ] {
            assert!(serde_json::from_str::<KvDiff>(wrong).is_err(), "{wrong}");
        }
    }
}
