//! What an owner's keys come to: how many they are and how large.
//!
//! Nothing is counted as a key is written. Every change is in the change log beside the keys, and what it did
//! to the totals with it; the totals are those deltas, added up to the revision that the totals name. So they
//! are exact at that revision, and whoever wants to know them now adds the few changes since.

use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use async_trait::async_trait;
use coffer_core::{Timestamp, UserId};
use coffer_store::records::{Page, StoreError};
use serde::{Deserialize, Serialize};

/// Keys and their sizes, or how they changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Keys.
    pub keys: i64,
    /// Bytes of the values as they were given.
    pub plain_bytes: i64,
    /// Bytes of the values as they are stored, before they are sealed.
    pub stored_bytes: i64,
    /// Keys that were stored with `encrypt`.
    pub encrypted: i64,
    /// Keys whose value is stored compressed.
    pub compressed: i64,
}

impl Add for Sizes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            keys: self.keys + other.keys,
            plain_bytes: self.plain_bytes + other.plain_bytes,
            stored_bytes: self.stored_bytes + other.stored_bytes,
            encrypted: self.encrypted + other.encrypted,
            compressed: self.compressed + other.compressed,
        }
    }
}

impl Sub for Sizes {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            keys: self.keys - other.keys,
            plain_bytes: self.plain_bytes - other.plain_bytes,
            stored_bytes: self.stored_bytes - other.stored_bytes,
            encrypted: self.encrypted - other.encrypted,
            compressed: self.compressed - other.compressed,
        }
    }
}

impl AddAssign for Sizes {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was stored.
    Stored,
    /// It was deleted.
    Deleted,
    /// Its time was over.
    Expired,
    /// Its time was over, which is told now although it has been stored anew since.
    Settled,
}

impl Fate {
    /// Whether there is no such key since.
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Deleted | Self::Expired)
    }
}

/// One change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: String,
    /// What became of it.
    pub fate: Fate,
    /// What it did to the totals.
    pub delta: Sizes,
}

/// What one commit did to an owner's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The revision that it made.
    pub revision: u64,
    /// Each key at most once, and at most [`CHANGES_PER_REVISION_MAX`].
    pub changes: Vec<Change>,
}

/// Keys that one commit changes, at most.
pub const CHANGES_PER_REVISION_MAX: usize = 128;

/// A key that exists, as a recount sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The key.
    pub key: String,
    /// The revision that made it what it is.
    pub revision: u64,
    /// What it adds to the totals.
    pub sizes: Sizes,
}

/// The keys of all owners, as far as totals need to know them.
#[async_trait]
pub trait Keys: Send + Sync + std::fmt::Debug {
    /// How long a change stays in the log, at least.
    fn log_retention(&self) -> Duration;

    /// What happened to an owner's keys after a revision (0 for all), oldest first, at most `limit` commits.
    async fn changes(&self, owner: UserId, after: u64, limit: usize) -> Result<Page<Changes>, StoreError>;

    /// An owner's keys after a key, in the order of their bytes, at most `limit`. None that has expired.
    async fn keys(
        &self,
        owner: UserId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Counted>, StoreError>;

    /// What those keys come to whose time is over, and of which the log does not say so yet.
    async fn expired(&self, owner: UserId) -> Result<Sizes, StoreError>;

    /// The present revision: every change from now on has a greater one.
    async fn present(&self, owner: UserId) -> Result<u64, StoreError>;
}

/// The totals of one owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Keys and their sizes.
    pub sizes: Sizes,
    /// The last change that they contain.
    pub revision: u64,
    /// When everything that was in the log then was contained; nothing if the keys have never been counted.
    pub complete_at: Option<Timestamp>,
}

impl Totals {
    /// Whether the log may no longer hold every change since these totals, so that the keys must be counted.
    pub fn is_overtaken(&self, now: Timestamp, retention: Duration) -> bool {
        // Half the time is left for clocks that differ and for a process that was stopped in between.
        self.complete_at.is_none_or(|at| now.since(at) > retention / 2)
    }

    /// Adds commits, in their order.
    pub(super) fn fold(&mut self, commits: &[Changes]) {
        for commit in commits {
            commit.changes.iter().for_each(|change| self.sizes += change.delta);
            self.revision = commit.revision;
        }
    }
}
