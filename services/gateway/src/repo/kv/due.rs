//! What time leaves to do: removing what an expired key leaves behind, and the parts of values that the history no
//! longer needs.
//!
//! In the owner's partition stands what is to be done and when. That an owner has something to do stands in one
//! partition for all of them, in the order of time, so that whoever collects reads one short range and not every
//! partition. There a mark says "look at this owner at this moment"; a mark that comes too early, or for nothing,
//! harms nobody.

use coffer_core::{Timestamp, UserId};
use coffer_store::records::{Partition, Sealed, SealedCommit, Sort, SortRange, StoreError, Table, Version};
use serde::{Deserialize, Serialize};

use super::change::Delta;
use super::entry::Parts;
use super::keys;
use super::records::{KvRepo, corrupt};

/// Marks of all owners, in one partition.
pub const MARKS: Table = Table::new("kv_due");

/// What is left to do about one entry of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    /// The key.
    pub key: String,
    /// The parts that are to be removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Parts>,
    /// The expiry that is to be told, if the entry was a current one: the version, and what there was of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired: Option<(u64, Delta)>,
}

/// Something to do, as found.
#[derive(Debug)]
pub struct Due {
    /// Where it stands.
    pub sort: Sort,
    /// Which version of it was read.
    pub version: Version,
    /// What is to be done.
    pub leftover: Leftover,
}

impl KvRepo {
    /// What an owner has to do until `now`, the earliest first.
    pub async fn due(&self, owner: UserId, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        let page = self.records().scan_as(&keys::partition(owner), &keys::due_until(now), limit).await?;
        let due = |stored: coffer_store::records::Stored<Leftover>| Due {
            sort: stored.sort,
            version: stored.version,
            leftover: stored.value,
        };
        Ok(page.items.into_iter().map(due).collect())
    }

    /// When an owner has something to do next.
    pub async fn next_due(&self, owner: UserId) -> Result<Option<Timestamp>, StoreError> {
        let page = self.scan_keys(owner, &keys::due_ever(), 1).await?;
        Ok(page.items.first().and_then(keys::due_at))
    }
}

/// The marks: which owners have something to do, and when.
#[derive(Clone, Debug)]
pub struct DueRepo {
    records: Sealed,
}

impl DueRepo {
    /// The marks that lie in `records`.
    pub fn new(records: Sealed) -> Self {
        Self { records }
    }

    /// Marks that `owner` is to be looked at then.
    pub async fn mark(&self, owner: UserId, at: Timestamp) -> Result<(), StoreError> {
        let commit = SealedCommit::new().put_as(&sort(owner, at), &(), None);
        self.records.commit(&partition(), commit).await.map(drop)
    }

    /// The marks until `now`, the earliest first.
    pub async fn marks(&self, now: Timestamp, limit: usize) -> Result<Vec<(Timestamp, UserId)>, StoreError> {
        let next = Timestamp::from_ms(now.as_ms().saturating_add(1));
        let until = bytes::Bytes::copy_from_slice(Sort::of(moment(next)).build().as_bytes());
        let range = SortRange { from: bytes::Bytes::new(), until: Some(until) };
        let page = self.records.scan_keys(&partition(), &range, limit).await?;
        page.items.iter().map(|sort| place(sort).ok_or_else(|| corrupt("a mark of no owner"))).collect()
    }

    /// Removes a mark.
    pub async fn unmark(&self, owner: UserId, at: Timestamp) -> Result<(), StoreError> {
        self.records.commit(&partition(), SealedCommit::new().delete(&sort(owner, at))).await.map(drop)
    }
}

fn partition() -> Partition {
    Partition::new(MARKS, "all")
}

fn sort(owner: UserId, at: Timestamp) -> Sort {
    Sort::of(moment(at)).and(owner.as_bytes()).build()
}

fn moment(at: Timestamp) -> [u8; 8] {
    u64::try_from(at.as_ms()).unwrap_or(0).to_be_bytes()
}

fn place(sort: &Sort) -> Option<(Timestamp, UserId)> {
    let parts = sort.parts()?;
    let [at, owner] = &parts[..] else { return None };
    let at = u64::from_be_bytes(<[u8; 8]>::try_from(at.as_slice()).ok()?);
    let owner = <[u8; 16]>::try_from(owner.as_slice()).ok()?;
    Some((Timestamp::from_ms(i64::try_from(at).ok()?), UserId::from_bytes(owner)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_gives_its_moment_and_its_owner_back() {
        let (owner, at) = (UserId::from_bytes([0; 16]), Timestamp::from_ms(256));
        assert_eq!(place(&sort(owner, at)), Some((at, owner)));
    }
}
