//! What is said of sharing: whom, which keys, to do what.

use coffer_api::grants::Permission;
use coffer_api::{AddressHash, Role};
use coffer_core::{Timestamp, UserId};

use super::KvError;
use super::access::Target;
use super::key::KEY_BYTES_MAX;
use crate::repo::kv::Subject;

/// Whom a grant is to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grantee {
    /// Whoever has this address.
    User {
        /// The address as the owner wrote it.
        email: String,
        /// The same, blinded by the KMS.
        address: AddressHash,
    },
    /// Everybody with exactly this role.
    Role(Role),
}

impl Grantee {
    pub(super) fn subject(&self) -> Subject {
        match self {
            Self::User { address, .. } => Subject::User(*address),
            Self::Role(role) => Subject::Role(*role),
        }
    }
}

/// Which keys a grant is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One key.
    Key(String),
    /// All keys that begin with this; all keys, if it is empty.
    Prefix(String),
}

impl Scope {
    pub(super) fn of(name: String, is_prefix: bool) -> Self {
        if is_prefix { Self::Prefix(name) } else { Self::Key(name) }
    }

    pub(super) fn target(&self) -> Target<'_> {
        match self {
            Self::Key(name) => Target { name, is_prefix: false },
            Self::Prefix(name) => Target { name, is_prefix: true },
        }
    }

    pub(super) fn check(&self) -> Result<(), KvError> {
        match self {
            Self::Key(name) => name.parse::<super::Key>().map(drop)?,
            Self::Prefix(name) if name.len() > KEY_BYTES_MAX => return Err(super::KeyError::TooLong.into()),
            Self::Prefix(_) => {}
        }
        Ok(())
    }
}

/// What an owner gives.
#[derive(Clone, Debug)]
pub struct GrantOrder {
    /// To whom.
    pub grantee: Grantee,
    /// Which keys.
    pub scope: Scope,
    /// To do what.
    pub permission: Permission,
    /// Until when, if it is to end by itself.
    pub expires_at: Option<Timestamp>,
}

/// A live grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// To whom.
    pub grantee: Grantee,
    /// Which keys.
    pub scope: Scope,
    /// To do what.
    pub permission: Permission,
    /// Since when.
    pub granted_at: Timestamp,
    /// Until when, if it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// Keys that somebody shares with the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedKeys {
    /// Whose they are.
    pub owner: UserId,
    /// Which.
    pub scope: Scope,
    /// What the caller may do.
    pub permission: Permission,
    /// Since when.
    pub granted_at: Timestamp,
    /// Until when, if it ends by itself.
    pub expires_at: Option<Timestamp>,
}
