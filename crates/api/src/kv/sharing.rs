//! Giving others access to keys.
//!
//! A grant names one key or all keys that begin with a text, and one person by address or everybody with a role.
//! Nothing here tells whether an address has an account.

use coffer_core::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

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

/// What of it is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct KvSharedQuery {
    /// Only what this owner shares: an id or an e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// `next_cursor` of the page before; none asks for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Grants in the page, 1 to 1000; 100 by default.
    #[serde(
        default,
        deserialize_with = "crate::page::deserialize_limit",
        skip_serializing_if = "Option::is_none"
    )]
    pub limit: Option<usize>,
}

/// One page of what others share with the caller: first what is shared with the caller's address, then what is with the
/// caller's role, each by owner. A page may be short, or empty, and still have a next one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvSharedKeys {
    /// What is shared.
    pub items: Vec<KvShared>,
    /// Where the next page begins, unless this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
