//! Giving others access to keys.
//!
//! A grant names one key or all keys that begin with a text, and one person by address or everybody with a role.
//! Nothing here tells whether an address has an account.

use coffer_core::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Role;
use crate::grants::Permission;

/// Gives access to keys of the caller's own. One of `key` and `prefix`, and one of `email` and `role`. A grant of the
/// same keys to the same grantee is replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KvNewGrant {
    /// One key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// All keys that begin with this; all keys, if it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Whoever proves this address, now or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Email)]
    pub email: Option<String>,
    /// Everybody with exactly this role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// What the grant allows; reading if not given.
    #[serde(default)]
    pub permission: Permission,
    /// From when on the grant is void (RFC 3339); never if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// Takes access back; it is out of force everywhere within 2 s. One of `key` and `prefix`, and one of `email` and
/// `role`, as granted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KvRevoke {
    /// One key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// All keys that begin with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// From whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Email)]
    pub email: Option<String>,
    /// From which role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// A live grant, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvGrant {
    /// One key, or else a prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// All keys that begin with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Who has access, or else a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Email)]
    pub email: Option<String>,
    /// Which role has access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// What the grant allows.
    pub permission: Permission,
    /// Since when (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub granted_at: Timestamp,
    /// Until when, if it ends by itself (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// The live grants that the caller has given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvGrants {
    /// All of them.
    pub items: Vec<KvGrant>,
}

/// Keys that somebody shares with the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvShared {
    /// Whose they are: what `owner` takes in other calls.
    #[schema(value_type = String, format = Uuid)]
    pub owner: UserId,
    /// That user's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Email)]
    pub owner_email: Option<String>,
    /// One key, or else a prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// All keys that begin with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// What the caller may do.
    pub permission: Permission,
    /// Since when (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub granted_at: Timestamp,
    /// Until when, if it ends by itself (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// What others share with the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvSharedKeys {
    /// Everything that is shared, by address and by role.
    pub items: Vec<KvShared>,
}
