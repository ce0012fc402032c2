//! Earlier versions, and the trash.

use coffer_core::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
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
