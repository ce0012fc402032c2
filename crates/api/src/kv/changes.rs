//! What happened to keys, in order.

use coffer_core::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The request header in which a browser that comes back names the last event that it got.
pub const LAST_EVENT_ID: &str = "last-event-id";

/// Which changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct KvChangesQuery {
    /// Only keys that begin with this. Of keys that are not the caller's own, the prefix must be shared.
    pub prefix: String,
    /// Whose keys: an id or an e-mail address; the caller's own if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What comes after this position: a `position`, or the `id` of an event. From now on if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KvChangeKind {
    /// A value was stored.
    Put,
    /// The key was deleted.
    Delete,
    /// An earlier version was stored anew, or the key came back from the trash.
    Restore,
    /// The key's time was over.
    Expire,
    /// The key was removed from the trash.
    Purge,
}

/// One key that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvChanged {
    /// The key.
    pub key: String,
    /// What happened.
    pub op: KvChangeKind,
    /// The version that the key has now, or had last.
    pub version: u64,
}

/// Everything that happened at once: several keys, if they changed together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvChange {
    /// The revision that the keys have now. Later changes have greater ones.
    pub revision: u64,
    /// When (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who did it; nobody if time did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Uuid)]
    pub by: Option<UserId>,
    /// The keys.
    pub changes: Vec<KvChanged>,
}

/// One page of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvChanges {
    /// What happened, in order.
    pub items: Vec<KvChange>,
    /// Where to go on.
    pub position: String,
    /// Whether there is more already.
    pub more: bool,
}
