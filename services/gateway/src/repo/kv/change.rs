//! Changes: what each commit did, in a log of the owner's partition.
//!
//! A change commits together with what it tells of, and stands at that commit's version, which is also the
//! revision of every key that it wrote. It feeds those who watch, and the totals: each change says by how much it
//! changes them, so folding the log gives the exact figures without a counter on the way of a write.

use std::ops::{AddAssign, Neg, Sub};

use coffer_core::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// It was stored.
    Put,
    /// It was deleted; it is in the trash, if the trash keeps anything.
    Delete,
    /// An earlier version was stored anew, or the key came back from the trash.
    Restore,
    /// Its time was over.
    Expire,
    /// What the trash had of it was removed.
    Purge,
    /// Its time was over, and it was stored anew before that was recorded. Only the totals change: whoever watches
    /// has been told of what was stored.
    Settle,
}

/// By how much something changes the totals of an owner. History and trash are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// Keys.
    #[serde(rename = "k", default)]
    pub keys: i64,
    /// Bytes of values.
    #[serde(rename = "p", default)]
    pub plain_bytes: i64,
    /// Bytes of values as they are stored, before sealing.
    #[serde(rename = "s", default)]
    pub stored_bytes: i64,
    /// Keys stored with `encrypt`.
    #[serde(rename = "e", default)]
    pub encrypted: i64,
    /// Keys whose values are compressed.
    #[serde(rename = "c", default)]
    pub compressed: i64,
}

impl AddAssign for Delta {
    fn add_assign(&mut self, other: Self) {
        self.keys += other.keys;
        self.plain_bytes += other.plain_bytes;
        self.stored_bytes += other.stored_bytes;
        self.encrypted += other.encrypted;
        self.compressed += other.compressed;
    }
}

impl Neg for Delta {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            keys: -self.keys,
            plain_bytes: -self.plain_bytes,
            stored_bytes: -self.stored_bytes,
            encrypted: -self.encrypted,
            compressed: -self.compressed,
        }
    }
}

impl Sub for Delta {
    type Output = Self;

    fn sub(mut self, other: Self) -> Self {
        self += -other;
        self
    }
}

/// What happened to one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The key.
    #[serde(rename = "k")]
    pub key: String,
    /// What happened.
    #[serde(rename = "o")]
    pub op: Op,
    /// The version that the key has now, or had last.
    #[serde(rename = "v")]
    pub version: u64,
    /// By how much the totals change.
    #[serde(rename = "d")]
    pub delta: Delta,
}

/// What one commit did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRecord {
    /// When.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// Who did it; nobody if time did.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// Each key at most once.
    #[serde(rename = "c")]
    pub changes: Vec<Change>,
}

impl ChangeRecord {
    /// By how much the totals change in all.
    pub fn delta(&self) -> Delta {
        let mut sum = Delta::default();
        self.changes.iter().for_each(|change| sum += change.delta);
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delta_of_a_record_is_that_of_its_changes() {
        let one = Delta { keys: 1, plain_bytes: 10, stored_bytes: 5, encrypted: 1, compressed: 1 };
        let change = |op, delta| Change { key: "a".to_owned(), op, version: 1, delta };
        let record = ChangeRecord {
            at: Timestamp::from_ms(1),
            by: None,
            changes: vec![change(Op::Put, one), change(Op::Delete, -one), change(Op::Put, one - one)],
        };
        assert_eq!(record.delta(), Delta::default());
        let bytes = rmp_serde::to_vec_named(&record).unwrap();
        assert_eq!(rmp_serde::from_slice::<ChangeRecord>(&bytes).unwrap(), record);
    }
}
