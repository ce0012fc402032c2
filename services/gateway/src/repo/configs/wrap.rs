//! Which user key opens which name space.

use coffer_core::SecretKey;
use coffer_crypto::space::UserKey;
use coffer_store::records::{Partition, Sort, Stored, Table, Version};
use serde::{Deserialize, Serialize};

const TABLE: Table = Table::new("config_wraps");

/// Where the wrap of a user key stands. Blinded under the deployment's pepper, so that a stolen storage gives nothing
/// to try user keys against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place(#[serde(with = "serde_bytes")] [u8; 32]);

impl Place {
    /// The place of a user key.
    pub fn of(user_key: &UserKey, pepper: &SecretKey) -> Self {
        Self(user_key.blind(pepper, b"coffer config wrap v1"))
    }

    /// One of many that are different.
    #[cfg(test)]
    pub(crate) fn testing(number: u8) -> Self {
        Self([number; 32])
    }

    pub(super) fn partition(self) -> Partition {
        Partition::new(TABLE, self.0)
    }
}

pub(super) fn wrap_sort() -> Sort {
    Sort::of("w").build()
}

/// Id and key of a name space, wrapped under a user key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WrapRecord {
    #[serde(with = "serde_bytes")]
    pub(super) wrapped: Vec<u8>,
}

/// A wrap as read.
#[derive(Debug)]
pub struct StoredWrap {
    /// What only the user key opens.
    pub wrapped: Vec<u8>,
    /// Which version of the record this is.
    pub version: Version,
}

impl From<Stored<WrapRecord>> for StoredWrap {
    fn from(stored: Stored<WrapRecord>) -> Self {
        Self { wrapped: stored.value.wrapped, version: stored.version }
    }
}

/// To whom a name space belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owner {
    /// To the user key whose wrap stands here.
    #[serde(rename = "w")]
    Wrap(Place),
    /// To nobody, for ever: it was begun and given up.
    #[serde(rename = "n")]
    Nobody,
}

/// An owner record as read.
#[derive(Clone, Copy, Debug)]
pub struct StoredOwner {
    /// Who it is.
    pub owner: Owner,
    /// Which version of the record this is.
    pub version: Version,
}
