//! A part of what was counted: as much as one commit takes.

use std::collections::BTreeSet;

use super::access::KeyDelta;
use super::page::{Cuts, KeyHash};
use super::pending::{Aggregates, Pending};

/// Pages that a commit changes, at most, beside those that it cuts.
pub(super) const PAGES_MAX: usize = 64;
/// Pages that a commit cuts, at most: 64 pages, each of these and their pieces fit into one commit.
pub(super) const CUTS_MAX: usize = 10;
/// Keys in a part, at most.
const KEYS_MAX: usize = 2048;
/// Bytes of their names, at most.
const NAME_BYTES_MAX: usize = 256 * 1024;

/// What happened to a key.
pub(super) type NamedDelta = (KeyHash, Box<str>, KeyDelta);

/// A part, and its place in the sequence of parts that this process writes for its owner.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) step: u64,
    pub(super) aggregates: Aggregates,
    /// In the order of their hashes.
    pub(super) keys: Vec<NamedDelta>,
}

impl Part {
    /// What was counted, as it was before it was cut.
    pub(super) fn into_pending(self) -> Pending {
        let keys = self.keys.into_iter().map(|(_, key, delta)| (key, delta)).collect();
        Pending { aggregates: self.aggregates, keys, has_changes: false }
    }
}

/// What is still to be cut into parts.
#[derive(Debug)]
pub(super) struct Rest {
    aggregates: Aggregates,
    /// In the reverse order of their hashes.
    keys: Vec<NamedDelta>,
}

impl From<Pending> for Rest {
    fn from(pending: Pending) -> Self {
        let named = |(key, delta): (Box<str>, _)| (KeyHash::of(&key), key, delta);
        let mut keys: Vec<NamedDelta> = pending.keys.into_iter().map(named).collect();
        keys.sort_unstable_by(|one, other| (other.0, &other.1).cmp(&(one.0, &one.1)));
        Self { aggregates: pending.aggregates, keys }
    }
}

impl Rest {
    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.aggregates.is_empty() && self.keys.is_empty()
    }

    /// What is left, as it was before it was cut.
    pub(super) fn into_pending(self) -> Pending {
        Part { step: 0, aggregates: self.aggregates, keys: self.keys }.into_pending()
    }

    /// The next part.
    pub(super) fn cut(&mut self, cuts: &Cuts, step: u64) -> Part {
        let (mut pages, mut name_bytes, mut keys) = (BTreeSet::new(), 0, Vec::new());
        while let Some((hash, key, _)) = self.keys.last() {
            pages.insert(cuts.page_of(*hash));
            name_bytes += key.len();
            if pages.len() > PAGES_MAX || name_bytes > NAME_BYTES_MAX || keys.len() >= KEYS_MAX {
                break;
            }
            keys.extend(self.keys.pop());
        }
        Part { step, aggregates: std::mem::take(&mut self.aggregates), keys }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use coffer_core::Timestamp;

    use super::super::operation::{Kind, Operation};
    use super::*;

    #[test]
    fn parts_are_bounded_and_together_are_the_whole() {
        let mut pending = Pending::default();
        for i in 0..9_000 {
            let key = format!("{i}{}", "x".repeat(i % 200));
            let at = Timestamp::from_ms(0);
            let operation =
                Operation { kind: Kind::Read, key: &key, at, duration: Duration::ZERO, data_bytes: 0 };
            pending.add(&operation, true);
        }
        let (mut rest, mut keys, mut counted, mut step) = (Rest::from(pending), BTreeSet::new(), 0, 0);
        while !rest.is_empty() {
            step += 1;
            let part = rest.cut(&Cuts::default(), step);
            let pages: BTreeSet<_> =
                part.keys.iter().map(|(hash, ..)| Cuts::default().page_of(*hash)).collect();
            let bytes: usize = part.keys.iter().map(|(_, key, _)| key.len()).sum();
            assert!(pages.len() <= PAGES_MAX && bytes <= NAME_BYTES_MAX && part.keys.len() <= KEYS_MAX);
            assert!(part.keys.is_sorted_by_key(|(hash, ..)| *hash));
            counted += part.aggregates.durations_us.count;
            keys.extend(part.keys.into_iter().map(|(_, key, _)| key));
        }
        assert_eq!((keys.len(), counted), (9_000, 9_000));
        assert!(step < 12, "{step}");
    }
}
