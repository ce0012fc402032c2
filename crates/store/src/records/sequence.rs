//! Versions, for back ends that keep them in one process: each partition counts for itself.
//!
//! With one count for all, whoever writes to a partition of his own learns from the gaps how much others write. So a
//! partition counts on from its last version, and begins (or begins anew, when it was forgotten here) with the clock's
//! microseconds: they tell nothing of others, and are behind every version there has been. That they are is made sure of,
//! whatever the clock says, by the greatest version ever given, which the back end keeps.

use std::collections::HashMap;

use coffer_core::Timestamp;

use super::{Partition, Version};

/// Partitions whose last version is remembered. All are forgotten when there are more.
const REMEMBERED_MAX: usize = 65_536;

/// Gives versions.
#[derive(Debug)]
pub(super) struct Sequences {
    /// The greatest version given in any partition.
    greatest: u64,
    last: HashMap<Partition, u64>,
}

impl Sequences {
    /// Goes on behind `greatest`.
    pub(super) fn behind(greatest: u64) -> Self {
        Self { greatest, last: HashMap::new() }
    }

    /// The next version in a partition: greater than all that it had. It is never given again, whatever comes of the
    /// commit that it was for.
    pub(super) fn next(&mut self, partition: &Partition, now: Timestamp) -> Version {
        if let Some(last) = self.last.get_mut(partition) {
            *last += 1;
            self.greatest = self.greatest.max(*last);
            return Version(*last);
        }
        let now = u64::try_from(now.as_ms()).unwrap_or(0).saturating_mul(1000);
        let first = now.max(self.greatest + 1);
        if self.last.len() >= REMEMBERED_MAX {
            self.last.clear();
        }
        self.last.insert(partition.clone(), first);
        self.greatest = first;
        Version(first)
    }

    /// The greatest version given in any partition: what is to be kept.
    pub(super) fn greatest(&self) -> u64 {
        self.greatest
    }
}

#[cfg(test)]
mod tests {
    use super::super::Table;
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

    fn partition(number: u32) -> Partition {
        Partition::new(Table::new("test"), number.to_be_bytes())
    }

    #[test]
    fn a_partition_counts_by_ones_whatever_others_do() {
        let mut sequences = Sequences::behind(0);
        let one = sequences.next(&partition(1), NOW).0;
        for other in 2..1000 {
            sequences.next(&partition(other), NOW);
        }
        assert_eq!(sequences.next(&partition(1), NOW).0, one + 1);
    }

    #[test]
    fn what_is_forgotten_begins_behind_everything_also_when_the_clock_was_set_back() {
        let mut sequences = Sequences::behind(0);
        let before = sequences.next(&partition(1), NOW);
        let mut again = Sequences::behind(sequences.greatest());
        assert!(again.next(&partition(1), Timestamp::from_ms(5)) > before);
        let before = sequences.next(&partition(1), NOW);
        for other in 2..u32::try_from(REMEMBERED_MAX).unwrap() + 2 {
            sequences.next(&partition(other), NOW);
        }
        assert!(sequences.last.len() <= REMEMBERED_MAX);
        assert!(sequences.next(&partition(1), Timestamp::from_ms(5)) > before);
    }
}
