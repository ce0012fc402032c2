//! Operations in the order in which they happened, until somebody counts them.

use std::time::Duration;

use coffer_core::{Timestamp, UserId};

use super::operation::{Kind, Operation};

/// Operations in one log, at most.
const OPERATIONS_MAX: usize = 64 * 1024;
/// Bytes of their keys' names, at most, before the last one.
const NAME_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Memory for this many operations is kept for those to come.
const KEPT_MAX: usize = 32 * 1024;

/// Operations of several owners.
#[derive(Default)]
pub(super) struct Log {
    entries: Vec<Entry>,
    /// The names of their keys, one behind the other.
    names: String,
}

struct Entry {
    owner: UserId,
    kind: Kind,
    at: Timestamp,
    duration: Duration,
    data_bytes: u64,
    /// Where the name of the key ends; it begins where the one before ends.
    name_end: usize,
}

impl Log {
    /// Whether it must be emptied before anything is written.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= OPERATIONS_MAX || self.names.len() >= NAME_BYTES_MAX
    }

    pub(super) fn push(&mut self, owner: UserId, operation: &Operation<'_>) {
        let Operation { kind, key, at, duration, data_bytes } = *operation;
        self.names.push_str(key);
        self.entries.push(Entry { owner, kind, at, duration, data_bytes, name_end: self.names.len() });
    }

    /// What happened, and to whose keys.
    pub(super) fn operations(&self) -> impl Iterator<Item = (UserId, Operation<'_>)> {
        let mut name_start = 0;
        self.entries.iter().map(move |entry| {
            let Entry { owner, kind, at, duration, data_bytes, name_end } = *entry;
            let key = &self.names[name_start..name_end];
            name_start = name_end;
            (owner, Operation { kind, key, at, duration, data_bytes })
        })
    }

    /// Forgets all of it, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.names.clear();
    }

    /// This log, emptied, if it is worth keeping: not if it was never used, so that idle gateways hold nothing, and not
    /// if it has grown large.
    pub(super) fn into_spare(mut self) -> Self {
        if self.entries.is_empty() || self.entries.capacity() > KEPT_MAX {
            return Self::default();
        }
        self.clear();
        self
    }
}
