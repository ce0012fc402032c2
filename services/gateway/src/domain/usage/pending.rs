//! What was counted and is not yet written.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::access::KeyDelta;
use super::calendar::Calendar;
use super::operation::{Counts, Kind, Operation, RECENT_MAX, Recent};
use super::spread::Spread;

/// What many operations come to, without regard to keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Aggregates {
    /// By quarter of an hour.
    pub(super) quarters: BTreeMap<i64, Counts>,
    /// Microseconds that answers took.
    pub(super) durations_us: Spread,
    /// Bytes of the values that were read and written.
    pub(super) value_bytes: Spread,
    /// The latest operations, oldest first.
    pub(super) recent: VecDeque<Recent>,
    /// Operations whose key was not noted.
    pub(super) undetailed: u64,
}

impl Aggregates {
    fn add(&mut self, operation: &Operation<'_>) {
        let duration_us = u64::try_from(operation.duration.as_micros()).unwrap_or(u64::MAX);
        *self.quarters.entry(Calendar::quarter_of(operation.at)).or_default() += Counts::one(operation.kind);
        self.durations_us.add(duration_us);
        if operation.kind != Kind::Delete {
            self.value_bytes.add(operation.data_bytes);
        }
        // The name of the one that goes makes room for that of the one that comes: most operations allocate nothing.
        let goes = (self.recent.len() >= RECENT_MAX).then(|| self.recent.pop_front()).flatten();
        let mut key = goes.map_or_else(String::new, |one| one.key);
        key.clear();
        key.push_str(operation.key);
        let Operation { kind, at, data_bytes, .. } = *operation;
        self.recent.push_back(Recent { owner: None, key, kind, at, duration_us, data_bytes });
    }

    /// What `later` counted after this.
    pub(super) fn merge(&mut self, later: Self) {
        for (quarter, counts) in later.quarters {
            *self.quarters.entry(quarter).or_default() += counts;
        }
        self.durations_us.merge(&later.durations_us);
        self.value_bytes.merge(&later.value_bytes);
        self.recent.extend(later.recent);
        let surplus = self.recent.len().saturating_sub(RECENT_MAX);
        self.recent.drain(..surplus);
        self.undetailed += later.undetailed;
    }

    /// Whether nothing was counted.
    pub(super) fn is_empty(&self) -> bool {
        self.quarters.is_empty() && self.undetailed == 0
    }
}

/// What was counted for one owner.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    pub(super) aggregates: Aggregates,
    /// What happened to each key.
    pub(super) keys: HashMap<Box<str>, KeyDelta>,
    /// Whether the change log of the owner's keys may have grown.
    pub(super) has_changes: bool,
}

impl Pending {
    /// Counts one operation. Its key is noted if there is `room` for one more; the answer is whether one more
    /// key was noted.
    pub(super) fn add(&mut self, operation: &Operation<'_>, room: bool) -> bool {
        self.aggregates.add(operation);
        self.has_changes |= operation.kind != Kind::Read;
        if let Some(delta) = self.keys.get_mut(operation.key) {
            delta.add(operation);
            return false;
        }
        if !room {
            self.aggregates.undetailed += 1;
            return false;
        }
        self.keys.entry(operation.key.into()).or_default().add(operation);
        true
    }

    /// What `later` counted after this.
    pub(super) fn merge(&mut self, later: Self) {
        self.aggregates.merge(later.aggregates);
        for (key, delta) in later.keys {
            self.keys.entry(key).or_default().merge(&delta);
        }
        self.has_changes |= later.has_changes;
    }
}
