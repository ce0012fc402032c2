//! What is counted: one operation on one key.

use std::ops::{Add, AddAssign};
use std::time::Duration;

use coffer_core::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// What an operation does to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The value was read.
    Read,
    /// A value was written.
    Write,
    /// The key was deleted.
    Delete,
}

/// One operation that was done. What was refused, or found nothing, is none.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// What was done.
    pub kind: Kind,
    /// To which key.
    pub key: &'a str,
    /// When.
    pub at: Timestamp,
    /// How long the answer took.
    pub duration: Duration,
    /// Bytes of the value that was read or written, before compression; 0 for a deletion.
    pub data_bytes: u64,
}

/// How often each kind of operation was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u64, u64)", into = "(u64, u64, u64)")]
pub struct Counts {
    /// Reads.
    pub reads: u64,
    /// Writes.
    pub writes: u64,
    /// Deletions.
    pub deletes: u64,
}

impl Counts {
    /// One operation.
    pub fn one(kind: Kind) -> Self {
        let mut counts = Self::default();
        match kind {
            Kind::Read => counts.reads = 1,
            Kind::Write => counts.writes = 1,
            Kind::Delete => counts.deletes = 1,
        }
        counts
    }

    /// All kinds together.
    pub fn total(self) -> u64 {
        self.reads + self.writes + self.deletes
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            reads: self.reads + other.reads,
            writes: self.writes + other.writes,
            deletes: self.deletes + other.deletes,
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

// Hundreds of these stand in one record, so they are written without names.
impl From<(u64, u64, u64)> for Counts {
    fn from((reads, writes, deletes): (u64, u64, u64)) -> Self {
        Self { reads, writes, deletes }
    }
}

impl From<Counts> for (u64, u64, u64) {
    fn from(counts: Counts) -> Self {
        (counts.reads, counts.writes, counts.deletes)
    }
}

/// An operation of the recent history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// Whose key it was; told only where several owners' operations stand together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    /// The key.
    pub key: String,
    /// What was done.
    pub kind: Kind,
    /// When.
    pub at: Timestamp,
    /// How long the answer took, in microseconds.
    pub duration_us: u64,
    /// Bytes of the value.
    pub data_bytes: u64,
}

/// Operations in the recent history, at most.
pub const RECENT_MAX: usize = 100;

/// Puts `more` into `recent`, which keeps the latest [`RECENT_MAX`], oldest first.
pub(super) fn merge_recent(recent: &mut Vec<Recent>, more: impl IntoIterator<Item = Recent>) {
    recent.extend(more);
    recent.sort_by_key(|one| one.at);
    recent.drain(..recent.len().saturating_sub(RECENT_MAX));
}
