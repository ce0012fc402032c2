//! What callers ask and are answered.

use coffer_api::Role;
use coffer_auth::Principal;
use coffer_core::{Timestamp, UserId};

use super::key::Key;
use super::memory::Held;
use super::value::{Kind, PlainValue, kind_of};
use crate::repo::kv::Head;

/// Who is asking.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// A user with a live session.
    pub principal: Principal,
}

impl Caller {
    /// The space that is the caller's own.
    pub fn own_space(&self) -> Space {
        Space { owner: self.principal.user_id }
    }

    pub(super) fn id(&self) -> UserId {
        self.principal.user_id
    }

    pub(super) fn role(&self) -> Role {
        self.principal.role
    }
}

impl From<Principal> for Caller {
    fn from(principal: Principal) -> Self {
        Self { principal }
    }
}

/// The name space of an owner. Naming one gives no access: every call checks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Space {
    /// Whose keys they are.
    pub owner: UserId,
}

/// What must hold for a key to be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing: the last writer wins.
    #[default]
    None,
    /// There is no such key.
    Absent,
    /// The key has this revision.
    Revision(u64),
}

/// What is to be stored.
#[derive(Clone, Debug)]
pub struct PutRequest {
    /// Under which key.
    pub key: Key,
    /// The value.
    pub value: PlainValue,
    /// When the key is gone, if ever. Without one, a key that was to expire stays.
    pub expires_at: Option<Timestamp>,
    /// What must hold.
    pub condition: Condition,
    /// Recorded and reported; the value is sealed in any case.
    pub encrypt: bool,
    /// Whether to compress the value, if that makes it shorter.
    pub compress: bool,
}

/// What is known of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Changes with every change of the key, and is never used twice: its `ETag`, the token of compare-and-set, and
    /// the place of the change in the log.
    pub revision: u64,
    /// 1 for the first value of a key, one more for each that follows.
    pub version: u64,
    /// When the key was made.
    pub created_at: Timestamp,
    /// When this value was stored.
    pub updated_at: Timestamp,
    /// Who made the key.
    pub created_by: UserId,
    /// Who stored this value.
    pub updated_by: UserId,
    /// When the key is gone, if ever.
    pub expires_at: Option<Timestamp>,
    /// What the value is.
    pub kind: Kind,
    /// Whether encryption was asked for. (The value is sealed all the same.)
    pub encrypt: bool,
    /// Whether the value is stored compressed.
    pub compressed: bool,
    /// Bytes of the value.
    pub plain_bytes: u64,
    /// Bytes of the value as it is stored, before sealing.
    pub stored_bytes: u64,
}

impl Meta {
    pub(super) fn of(head: &Head, revision: u64) -> Self {
        Self {
            revision,
            version: head.version,
            created_at: head.created_at,
            updated_at: head.updated_at,
            created_by: head.created_by,
            updated_by: head.updated_by,
            expires_at: head.expires_at,
            kind: kind_of(head),
            encrypt: head.encrypt,
            compressed: head.compressed,
            plain_bytes: head.plain_bytes,
            stored_bytes: head.stored_bytes,
        }
    }
}

/// A value with what is known of it.
#[derive(Debug)]
pub struct Item {
    /// What is known of it.
    pub meta: Meta,
    /// The value.
    pub value: PlainValue,
    /// Its room in memory.
    pub held: Held,
}

/// What came of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// The revision of the deletion.
    pub revision: u64,
    /// The last version that the key had.
    pub version: u64,
}
