//! Earlier versions, how they differ, and the trash.

use coffer_core::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::KvMeta;

/// The versions of a key that are kept, the current one first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvHistory {
    /// The versions.
    pub items: Vec<KvMeta>,
}

/// Which versions are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct KvDiffQuery {
    /// The key.
    pub key: String,
    /// The one version.
    pub from: u64,
    /// The other.
    pub to: u64,
    /// Whose key: an id or an e-mail address; the caller's own if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// What differs at one place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum KvEdit {
    /// There is a value now.
    Add {
        /// Where: a JSON Pointer (RFC 6901).
        path: String,
        /// The value.
        #[schema(value_type = Object)]
        value: Value,
    },
    /// There is no value any more.
    Remove {
        /// Where.
        path: String,
        /// The value that was there.
        #[schema(value_type = Object)]
        value: Value,
    },
    /// There is another value.
    Replace {
        /// Where.
        path: String,
        /// The value that was there.
        #[schema(value_type = Object)]
        from: Value,
        /// The value that is there.
        #[schema(value_type = Object)]
        to: Value,
    },
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum KvDiff {
    /// Both are JSON: what differs, in the order of the paths; items of arrays are compared by their place.
    Json {
        /// What differs.
        edits: Vec<KvEdit>,
        /// Whether there is more than is told.
        truncated: bool,
    },
    /// One of them is bytes, or too deep to compare.
    Bytes {
        /// The one.
        from: KvDigest,
        /// The other.
        to: KvDigest,
    },
}

/// Stores an earlier version anew, as the key's next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KvRestore {
    /// The key.
    pub key: String,
    /// The version.
    pub version: u64,
    /// Whose key: an id or an e-mail address; the caller's own if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Only if the key has this revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
}

/// Which of the caller's deleted keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct KvTrashQuery {
    /// Only keys that begin with this.
    pub prefix: String,
    /// `next_cursor` of the page before; none asks for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Keys in the page, 1 to 1000; 100 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// A deleted key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvTrashed {
    /// The key.
    pub key: String,
    /// When it was deleted (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub deleted_at: Timestamp,
    /// By whom.
    #[schema(value_type = String, format = Uuid)]
    pub deleted_by: UserId,
    /// The last version that it had.
    pub version: u64,
    /// Bytes of its last value.
    pub size_bytes: u64,
}

/// One page of the trash, in the order of the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvTrashPage {
    /// Deleted keys.
    pub items: Vec<KvTrashed>,
    /// Where the next page begins, unless this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Brings a deleted key of the caller's back, with its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KvTrashRestore {
    /// The key.
    pub key: String,
}
