//! How often the index of a partition is searched for stale entries: the less is found there, the more seldom.
//!
//! A search costs the server as much as ten commits. Where nothing ever expires before it is deleted, which is so
//! wherever records are written over and over, it would be the largest part of a commit's cost, for nothing.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::Partition;

/// Commits of expiring records between two searches, where they find something and where they never do.
const COMMITS_MIN: usize = 16;
const COMMITS_MAX: usize = 2048;
/// Found by one search, this many are no more than what is to be expected: about one in eight.
const FEW: usize = 8;
/// Partitions whose pace is known; with more, all begin anew.
const PARTITIONS_MAX: usize = 4096;

#[derive(Default)]
pub(super) struct Pace(Mutex<Steps>);

#[derive(Default)]
struct Steps {
    known: HashMap<Partition, Step>,
    /// Partitions that were ever met. They begin out of step, so that of those with one commit each some are searched.
    met: usize,
}

struct Step {
    commits: usize,
    /// Commits from one search to the next.
    length: usize,
}

impl Pace {
    fn lock(&self) -> MutexGuard<'_, Steps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a search is due after so many more commits.
    pub(super) fn is_time(&self, partition: &Partition, commits: usize) -> bool {
        let mut steps = self.lock();
        if !steps.known.contains_key(partition) {
            if steps.known.len() >= PARTITIONS_MAX {
                steps.known.clear();
            }
            steps.met += 1;
            let commits = steps.met % COMMITS_MIN;
            steps.known.insert(partition.clone(), Step { commits, length: COMMITS_MIN });
        }
        let Some(step) = steps.known.get_mut(partition) else { return false };
        step.commits += commits;
        let is_time = step.commits >= step.length;
        if is_time {
            step.commits = 0;
        }
        is_time
    }

    /// Learns how many stale entries a search has found.
    pub(super) fn found(&self, partition: &Partition, stale: usize) {
        if let Some(step) = self.lock().known.get_mut(partition) {
            step.length = match stale {
                0 => (step.length * 2).min(COMMITS_MAX),
                1..=FEW => step.length,
                _ => COMMITS_MIN,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Table;
    use super::*;

    const TABLE: Table = Table::new("t");

    fn commits_until_a_search(pace: &Pace, partition: &Partition) -> usize {
        (1..=COMMITS_MAX).find(|_| pace.is_time(partition, 1)).expect("a search comes some time")
    }

    #[test]
    fn searches_that_find_nothing_become_seldom_and_one_that_does_brings_them_back() {
        let (pace, partition) = (Pace::default(), Partition::new(TABLE, "p"));
        assert_eq!(commits_until_a_search(&pace, &partition), COMMITS_MIN - 1, "the first begins in step");
        assert_eq!(commits_until_a_search(&pace, &partition), COMMITS_MIN);
        for _ in 0..20 {
            pace.found(&partition, 0);
        }
        assert_eq!(commits_until_a_search(&pace, &partition), COMMITS_MAX);
        pace.found(&partition, FEW);
        assert_eq!(commits_until_a_search(&pace, &partition), COMMITS_MAX);
        pace.found(&partition, FEW + 1);
        assert_eq!(commits_until_a_search(&pace, &partition), COMMITS_MIN);
        assert!(pace.is_time(&partition, COMMITS_MIN), "a group counts as many");
        assert_eq!(
            commits_until_a_search(&pace, &Partition::new(TABLE, "q")),
            COMMITS_MIN - 2,
            "each by itself"
        );
    }

    #[test]
    fn of_partitions_with_one_commit_each_some_are_searched_and_not_all_are_remembered() {
        let pace = Pace::default();
        let partitions = (0..=PARTITIONS_MAX).map(|number| Partition::new(TABLE, number.to_be_bytes()));
        let searched = partitions.filter(|partition| pace.is_time(partition, 1)).count();
        assert_eq!(searched, PARTITIONS_MAX / COMMITS_MIN);
        assert!(pace.lock().known.len() <= PARTITIONS_MAX);
    }
}
