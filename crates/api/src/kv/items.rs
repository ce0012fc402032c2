//! Keys, their values and what is known of them.

use coffer_core::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::yes;

/// The media type of values that are JSON.
pub const JSON: &str = "application/json";

/// What is known of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvMeta {
    /// The key.
    pub key: String,
    /// Changes with every change of the key and is never used twice: its `ETag`, and what `if_revision` names.
    pub revision: u64,
    /// 1 for the first value of a key, one more for each that follows.
    pub version: u64,
    /// The value's media type.
    pub content_type: String,
    /// Bytes of the value.
    pub size_bytes: u64,
    /// Bytes of the value as it is stored, before sealing.
    pub stored_bytes: u64,
    /// Whether the value is stored compressed.
    pub compressed: bool,
    /// Whether encryption was asked for. (The value is sealed all the same.)
    pub encrypt: bool,
    /// When the key was made (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Who made the key.
    #[schema(value_type = String, format = Uuid)]
    pub created_by: UserId,
    /// When this value was stored (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// Who stored this value.
    #[schema(value_type = String, format = Uuid)]
    pub updated_by: UserId,
    /// When the key is gone, if ever (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// Which key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct KvKeyQuery {
    /// The key: any text of 1 to 1024 bytes.
    pub key: String,
    /// Whose key: an id or an e-mail address; the caller's own if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// Which value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct KvGetQuery {
    /// The key.
    pub key: String,
    /// Whose key: an id or an e-mail address; the caller's own if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// An earlier version; the current one if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// How a value is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct KvPutQuery {
    /// The key: any text of 1 to 1024 bytes.
    pub key: String,
    /// Whose key: an id or an e-mail address; the caller's own if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// When the key is gone (RFC 3339); never if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// Recorded and reported; the value is sealed in any case.
    #[serde(default = "yes")]
    pub encrypt: bool,
    /// Whether to compress the value if that makes it shorter.
    #[serde(default = "yes")]
    pub compress: bool,
    /// Only if the key has this revision; the header `If-Match` does the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
    /// Only if there is no such key; the header `If-None-Match: *` does the same.
    #[serde(default)]
    pub if_absent: bool,
}

impl KvPutQuery {
    /// Stores under `key`, whatever is there, for good.
    pub fn new(key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            owner: None,
            expires_at: None,
            encrypt: true,
            compress: true,
            if_revision: None,
            if_absent: false,
        }
    }
}

/// What is deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct KvDeleteQuery {
    /// The key.
    pub key: String,
    /// Whose key: an id or an e-mail address; the caller's own if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Only if the key has this revision; the header `If-Match` does the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
}

/// What came of a deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvDeleted {
    /// The key.
    pub key: String,
    /// The revision of the deletion.
    pub revision: u64,
    /// The last version that the key had.
    pub version: u64,
}

/// Which keys are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct KvListQuery {
    /// Only keys that begin with this.
    pub prefix: String,
    /// Folds keys that have this text behind the prefix into what they have up to and with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// Only keys whose name has this in it, in upper or lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// `next_cursor` of the page before; none asks for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Keys and folded prefixes in the page, 1 to 1000; 100 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Whose keys: an id or an e-mail address; the caller's own if not given. The prefix must be shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// One page of keys, in the order of their bytes. A page may be short, or empty, and still have a next one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvPage {
    /// Keys.
    pub items: Vec<KvMeta>,
    /// What keys with the delimiter have in common.
    pub common_prefixes: Vec<String>,
    /// Keys that are there and cannot be read, because what was stored of them is damaged; absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<String>,
    /// Where the next page begins, unless this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Copies a value, with its expiry and without its history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KvCopy {
    /// The key that there is.
    pub from: String,
    /// The key that there will be.
    pub to: String,
    /// Whose key is copied: an id or an e-mail address; the caller's own if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whose key it becomes; the caller's own if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_owner: Option<String>,
    /// Only if `to` has this revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
    /// Only if there is no key `to`.
    #[serde(default)]
    pub if_absent: bool,
}

/// Gives a key another name, at once. The history stays with the old name, which goes to the trash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KvMove {
    /// The key that there is.
    pub from: String,
    /// The key that there will be.
    pub to: String,
    /// Whose keys: an id or an e-mail address; the caller's own if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Only if `to` has this revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
    /// Only if there is no key `to`.
    #[serde(default)]
    pub if_absent: bool,
}
