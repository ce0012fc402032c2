//! What a commit asks and what comes of it.

use std::ops::RangeInclusive;

use bytes::Bytes;
use coffer_core::Timestamp;

use super::{Sort, Version};

/// A condition that must hold for a commit to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// There is no live record at this key.
    Absent(Sort),
    /// The live record at this key has this version.
    AtVersion(Sort, Version),
    /// The counter at this key, 0 if absent, is within `min..=max`. A bytes record there fails the guard.
    CounterWithin {
        /// The counter's key.
        sort: Sort,
        /// The least value.
        min: i64,
        /// The greatest value.
        max: i64,
    },
}

impl Guard {
    /// The key that it looks at.
    pub fn sort(&self) -> &Sort {
        match self {
            Self::Absent(sort) | Self::AtVersion(sort, _) | Self::CounterWithin { sort, .. } => sort,
        }
    }
}

/// A change that a commit makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Writes a record, whether or not there is one.
    Put {
        /// Its key.
        sort: Sort,
        /// Its new value.
        value: Bytes,
        /// When it counts as absent, if ever.
        expires_at: Option<Timestamp>,
    },
    /// Writes a record whose key is `prefix` and then the version of this commit; see [`Sort::log_entry`]. So the
    /// records of one prefix, in the order of their keys, are a log of the commits that appended them.
    Append {
        /// The log; at most [`LOG_PREFIX_BYTES_MAX`](super::LOG_PREFIX_BYTES_MAX).
        prefix: Sort,
        /// The entry's value.
        value: Bytes,
        /// When it counts as absent, if ever.
        expires_at: Option<Timestamp>,
    },
    /// Moves the live record, if there is one, to [`Sort::past`] of its key and version, where it keeps that version.
    /// This is done before everything else, so that the same commit can put another record in its place (or delete
    /// it, which changes nothing).
    Retire {
        /// Its key.
        sort: Sort,
        /// When it counts as absent from now on, if ever.
        expires_at: Option<Timestamp>,
    },
    /// Removes a record, if there is one.
    Delete {
        /// Its key.
        sort: Sort,
    },
    /// Adds to a counter; an absent or expired one begins at 0. A bytes record there is replaced.
    Add {
        /// Its key.
        sort: Sort,
        /// What to add.
        delta: i64,
        /// The counter's new expiry.
        expires_at: Option<Timestamp>,
    },
}

impl Operation {
    /// The key that it changes; of an append, the log's prefix.
    pub fn sort(&self) -> &Sort {
        match self {
            Self::Put { sort, .. }
            | Self::Retire { sort, .. }
            | Self::Delete { sort }
            | Self::Add { sort, .. } => sort,
            Self::Append { prefix, .. } => prefix,
        }
    }
}

/// Guards and operations on one partition. No key may be named by two operations (but one that is retired may be put
/// or deleted), and no log by two appends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// What must hold.
    pub guards: Vec<Guard>,
    /// What is done if it does.
    pub operations: Vec<Operation>,
}

impl Commit {
    /// An empty commit to build upon.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of the values that it writes.
    pub(crate) fn value_bytes(&self) -> usize {
        let value = |operation: &Operation| match operation {
            Operation::Put { value, .. } | Operation::Append { value, .. } => value.len(),
            Operation::Retire { .. } | Operation::Delete { .. } | Operation::Add { .. } => 0,
        };
        self.operations.iter().map(value).sum()
    }

    /// Adds a guard.
    #[must_use]
    pub fn guard(mut self, guard: Guard) -> Self {
        self.guards.push(guard);
        self
    }

    /// Guards that there is no live record at `sort`.
    #[must_use]
    pub fn absent(self, sort: &Sort) -> Self {
        self.guard(Guard::Absent(sort.clone()))
    }

    /// Guards that the record at `sort` is still at `version`.
    #[must_use]
    pub fn at_version(self, sort: &Sort, version: Version) -> Self {
        self.guard(Guard::AtVersion(sort.clone(), version))
    }

    /// Guards that the counter at `sort`, 0 if absent, is within `range`.
    #[must_use]
    pub fn counter_within(self, sort: &Sort, range: RangeInclusive<i64>) -> Self {
        let (min, max) = range.into_inner();
        self.guard(Guard::CounterWithin { sort: sort.clone(), min, max })
    }

    /// Writes a record.
    #[must_use]
    pub fn put(mut self, sort: &Sort, value: impl Into<Bytes>, expires_at: Option<Timestamp>) -> Self {
        self.operations.push(Operation::Put { sort: sort.clone(), value: value.into(), expires_at });
        self
    }

    /// Appends an entry to the log `prefix`.
    #[must_use]
    pub fn append(mut self, prefix: &Sort, value: impl Into<Bytes>, expires_at: Option<Timestamp>) -> Self {
        let (prefix, value) = (prefix.clone(), value.into());
        self.operations.push(Operation::Append { prefix, value, expires_at });
        self
    }

    /// Moves a record to its past.
    #[must_use]
    pub fn retire(mut self, sort: &Sort, expires_at: Option<Timestamp>) -> Self {
        self.operations.push(Operation::Retire { sort: sort.clone(), expires_at });
        self
    }

    /// Removes a record.
    #[must_use]
    pub fn delete(mut self, sort: &Sort) -> Self {
        self.operations.push(Operation::Delete { sort: sort.clone() });
        self
    }

    /// Adds to a counter.
    #[must_use]
    pub fn add(mut self, sort: &Sort, delta: i64, expires_at: Option<Timestamp>) -> Self {
        self.operations.push(Operation::Add { sort: sort.clone(), delta, expires_at });
        self
    }
}

/// What a commit that happened left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The version that every record written (not only retired) by this commit has now. It means nothing if none
    /// was.
    pub version: Version,
    /// The new value of each counter, in the order of the `Add` operations.
    pub counters: Vec<i64>,
}

/// What came of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every guard held and every operation was applied.
    Committed(Committed),
    /// Nothing was changed, because this guard (by its place in [`Commit::guards`]) did not hold.
    Refused {
        /// The first guard that failed.
        guard: usize,
    },
}

impl Outcome {
    /// Whether the commit happened.
    pub fn is_committed(&self) -> bool {
        matches!(self, Self::Committed(_))
    }
}
