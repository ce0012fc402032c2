//! Tombstones: what the trash knows of a deleted key.

use coffer_core::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::entry::Past;

/// A deleted key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// When the key was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: UserId,
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// By whom.
    pub deleted_by: UserId,
    /// The last version that it had.
    pub version: u64,
    /// Bytes of its last value.
    pub plain_bytes: u64,
    /// The versions that are kept, oldest first: the last value is the last of them.
    pub trail: Vec<Past>,
}
