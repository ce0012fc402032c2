//! Several operations in one call.

use coffer_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{KvDeleted, KvMeta, yes};
use crate::Problem;
use crate::raw::also_null;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KvOp {
    /// Reads a value; not in a batch that is done at once.
    Get,
    /// Stores a value.
    Put,
    /// Deletes a key.
    Delete,
}

/// One operation.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KvOperation {
    /// What is done.
    pub op: KvOp,
    /// To which key.
    pub key: String,
    /// `put`: a JSON value.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "also_null")]
    #[schema(value_type = Option<Object>)]
    pub value: Option<Box<RawValue>>,
    /// `put`: bytes instead of a JSON value, in standard base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Byte)]
    pub base64: Option<String>,
    /// `put`: what those bytes are; `application/octet-stream` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `put`: when the key is gone (RFC 3339); never if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// `put`: recorded and reported; the value is sealed in any case.
    #[serde(default = "yes")]
    pub encrypt: bool,
    /// `put`: whether to compress the value if that makes it shorter.
    #[serde(default = "yes")]
    pub compress: bool,
    /// `put`, `delete`: only if the key has this revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
    /// `put`: only if there is no such key.
    #[serde(default)]
    pub if_absent: bool,
}

/// Operations, 1 to 100.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KvBatch {
    /// Whose keys: an id or an e-mail address; the caller's own if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// All of it in one commit, or nothing: the first refusal is the answer. Every key at most once.
    #[serde(default)]
    pub atomic: bool,
    /// What is done, in this order.
    #[schema(min_items = 1, max_items = 100)]
    pub operations: Vec<KvOperation>,
}

/// What came of one operation.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct KvOutcome {
    /// 200, or the status of the refusal.
    pub status: u16,
    /// `get`, `put`: what is known of the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<KvMeta>,
    /// `get`: a JSON value.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "also_null")]
    #[schema(value_type = Option<Object>)]
    pub value: Option<Box<RawValue>>,
    /// `get`: bytes, in standard base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Byte)]
    pub base64: Option<String>,
    /// `delete`: what came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<KvDeleted>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// What came of each operation, in their order.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct KvBatchAnswer {
    /// One for each operation.
    pub results: Vec<KvOutcome>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_a_value_and_what_is_not_there_is_none() {
        let of = |text: &str| serde_json::from_str::<KvOperation>(text).unwrap();
        assert_eq!(of(r#"{"op":"put","key":"a","value":null}"#).value.unwrap().get(), "null");
        assert_eq!(
            of(r#"{"op":"put","key":"a","value":{"b": 1.50}}"#).value.unwrap().get(),
            r#"{"b": 1.50}"#
        );
        assert!(of(r#"{"op":"get","key":"a"}"#).value.is_none());
    }
}
