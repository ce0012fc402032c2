//! How one key is used.

use coffer_core::Timestamp;

use super::operation::{Kind, Operation};

/// Reads and writes of one key since it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Reads.
    pub reads: u64,
    /// Writes.
    pub writes: u64,
    /// The first of either.
    pub first_at: Timestamp,
    /// The last of either.
    pub last_at: Timestamp,
    /// The last read, if there was one.
    pub last_read_at: Option<Timestamp>,
}

impl Access {
    fn of(operation: &Operation<'_>) -> Self {
        let is_read = operation.kind == Kind::Read;
        Self {
            reads: u64::from(is_read),
            writes: u64::from(!is_read),
            first_at: operation.at,
            last_at: operation.at,
            last_read_at: is_read.then_some(operation.at),
        }
    }

    /// Reads and writes together.
    pub fn count(&self) -> u64 {
        self.reads + self.writes
    }

    /// Since when nobody has read the key: since its last read, or since it is known.
    pub fn unread_since(&self) -> Timestamp {
        self.last_read_at.unwrap_or(self.first_at)
    }

    /// Counts all of `other` too.
    pub(super) fn merge(&mut self, other: &Self) {
        self.reads += other.reads;
        self.writes += other.writes;
        self.first_at = self.first_at.min(other.first_at);
        self.last_at = self.last_at.max(other.last_at);
        self.last_read_at = self.last_read_at.max(other.last_read_at);
    }
}

/// What happened to one key lately, not yet written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyDelta {
    /// When the key was last deleted, if it was: what was counted before is dropped.
    dropped_at: Option<Timestamp>,
    /// What happened since then.
    since: Option<Access>,
}

impl KeyDelta {
    /// The key is gone.
    pub(super) fn dropped(at: Timestamp) -> Self {
        Self { dropped_at: Some(at), since: None }
    }

    /// Whether the key was deleted.
    pub(super) fn is_dropped(&self) -> bool {
        self.dropped_at.is_some()
    }

    /// One more operation, later than all before.
    pub(super) fn add(&mut self, operation: &Operation<'_>) {
        if operation.kind == Kind::Delete {
            *self = Self::dropped(operation.at);
            return;
        }
        self.count(&Access::of(operation));
    }

    /// What `later` says happened after this.
    pub(super) fn merge(&mut self, later: &Self) {
        if later.dropped_at.is_some() {
            *self = *later;
        } else if let Some(since) = &later.since {
            self.count(since);
        }
    }

    fn count(&mut self, more: &Access) {
        match &mut self.since {
            Some(since) => since.merge(more),
            None => self.since = Some(*more),
        }
    }

    /// What is known of the key now, after what was known `before`. A key that was made again since the
    /// deletion, and was counted by another gateway sooner, is not dropped.
    pub(super) fn apply(&self, before: Option<Access>) -> Option<Access> {
        let kept = before.filter(|access| self.dropped_at.is_none_or(|at| access.first_at > at));
        match (kept, &self.since) {
            (Some(mut access), Some(since)) => {
                access.merge(since);
                Some(access)
            }
            (kept, since) => kept.or(*since),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn operation(kind: Kind, ms: i64) -> Operation<'static> {
        let at = Timestamp::from_ms(ms);
        Operation { kind, key: "k", at, duration: Duration::ZERO, data_bytes: 0 }
    }

    fn delta(operations: &[(Kind, i64)]) -> KeyDelta {
        let mut delta = KeyDelta::default();
        for (kind, ms) in operations {
            delta.add(&operation(*kind, *ms));
        }
        delta
    }

    #[test]
    fn deltas_in_two_steps_are_those_in_one_wherever_they_are_cut() {
        use Kind::{Delete, Read, Write};
        let history = [(Write, 1), (Read, 2), (Delete, 3), (Write, 4), (Read, 5), (Read, 6), (Delete, 7)];
        for end in 0..=history.len() {
            let whole = delta(&history[..end]).apply(None);
            for cut in 0..=end {
                let mut merged = delta(&history[..cut]);
                merged.merge(&delta(&history[cut..end]));
                assert_eq!(merged.apply(None), whole, "{cut} of {end}");
                let first = delta(&history[..cut]).apply(None);
                assert_eq!(delta(&history[cut..end]).apply(first), whole, "{cut} of {end}");
            }
        }
    }

    #[test]
    fn a_deletion_does_not_drop_a_key_that_was_made_again_since() {
        let again = delta(&[(Kind::Write, 10)]).apply(None);
        assert_eq!(delta(&[(Kind::Delete, 9)]).apply(again), again);
        assert_eq!(delta(&[(Kind::Delete, 11)]).apply(again), None);
    }

    #[test]
    fn a_key_that_was_never_read_is_unread_since_it_was_made() {
        let written = delta(&[(Kind::Write, 5), (Kind::Write, 9)]).apply(None).unwrap();
        assert_eq!(written.unread_since(), Timestamp::from_ms(5));
        let read = delta(&[(Kind::Write, 5), (Kind::Read, 7), (Kind::Write, 9)]).apply(None).unwrap();
        assert_eq!((read.unread_since(), read.count()), (Timestamp::from_ms(7), 3));
    }
}
