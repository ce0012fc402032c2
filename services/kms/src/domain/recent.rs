//! What was read a moment ago, for whoever asks the same again at once.
//!
//! Unwrapping is asked for in bursts by the same session, and each time the same records say yes. So what they
//! said may be used again, but only
//!
//! - within [`REMEMBERED`] of the moment before the reading *began*: whatever was taken away by any process more
//!   than that ago was taken away before the reading, which saw it. This needs nobody to tell anything, so
//!   nothing that is lost, late or killed in the middle stretches it;
//! - if this process has taken nothing away from anybody since then ([`Changes`]): what it has acknowledged is in
//!   force here at once.
//!
//! An answer from memory only ever is a yes. Whatever is not in memory, not recent enough or judged to be over
//! by its reader is asked of the store, so with the store out of reach nobody is let in on memory for longer
//! than [`REMEMBERED`].
//!
//! The road not taken is the way of the other services: to follow the revocation feed, and to believe what is
//! in memory for a minute. It saves reads only for sessions that unwrap less often than once a second, and
//! there are too few of those reads to count; it would have to know of every record that a decision rests on
//! which event tells of its change (an upload, for one, is told by none); and a process killed in the middle of a
//! revocation would leave a minute open.

use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use coffer_core::{Clock, Timestamp};
use moka::sync::Cache;
use tokio::time::Instant;

/// What was read is used again for so long at most. A revocation is in force within 2 s everywhere: half of them
/// for what is remembered, half for the request that used it at the last moment.
pub const REMEMBERED: Duration = Duration::from_secs(1);

/// Entries leave after this time. It saves room and nothing else: whether one is used is judged by `get`.
const ENTRY_KEPT: Duration = Duration::from_mins(1);

/// Counts what this process has changed that somebody may have been allowed before.
#[derive(Clone, Debug, Default)]
pub struct Changes(Arc<AtomicU64>);

impl Changes {
    /// Makes everything void that was read, or began to be read, before. Whose it is does not matter: changes are
    /// rare beside requests, and a rule this simple has no gaps.
    pub fn note(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The moment before a reading begins.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    changes: u64,
    // A wall clock that is set back must not stretch the time, nor a machine that sleeps: both count.
    instant: Instant,
    at: Timestamp,
}

/// A bounded memory.
pub struct Recent<K, V> {
    entries: Cache<K, (Before, V)>,
    changes: Changes,
    clock: Arc<dyn Clock>,
}

impl<K, V> Recent<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Remembers at most `entries_max` answers, until `changes` voids them.
    pub fn new(entries_max: u64, changes: Changes, clock: Arc<dyn Clock>) -> Self {
        let entries = Cache::builder().max_capacity(entries_max).time_to_live(ENTRY_KEPT).build();
        Self { entries, changes, clock }
    }

    /// Take this before reading what is to be remembered.
    pub fn before(&self) -> Before {
        Before { changes: self.changes.count(), instant: Instant::now(), at: self.clock.now() }
    }

    /// Remembers what was read since `before`.
    pub fn keep(&self, key: K, before: Before, value: V) {
        self.entries.insert(key, (before, value));
    }

    /// What was read a moment ago under `key`. The caller judges whether it is a yes, by the clock.
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.entries.get(key).filter(|(before, _)| self.is_recent(*before)).map(|(_, value)| value)
    }

    fn is_recent(&self, before: Before) -> bool {
        before.changes == self.changes.count()
            && before.instant.elapsed() < REMEMBERED
            && self.clock.now().since(before.at) < REMEMBERED
    }
}

impl<K, V> fmt::Debug for Recent<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use coffer_core::ManualClock;

    use super::*;

    struct Memory {
        clock: Arc<ManualClock>,
        changes: Changes,
        recent: Recent<u32, &'static str>,
    }

    fn memory(entries_max: u64) -> Memory {
        let clock = Arc::new(ManualClock::at(Timestamp::from_ms(1_800_000_000_000)));
        let changes = Changes::default();
        let recent = Recent::new(entries_max, changes.clone(), clock.clone());
        Memory { clock, changes, recent }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_is_used_again_for_a_second_from_before_the_reading_began() {
        let Memory { clock, recent, .. } = memory(10);
        let before = recent.before();
        // A reading that takes long.
        tokio::time::advance(Duration::from_millis(600)).await;
        recent.keep(1, before, "yes");
        tokio::time::advance(Duration::from_millis(399)).await;
        assert_eq!((recent.get(&1), recent.get(&2)), (Some("yes"), None));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(recent.get(&1), None, "although the wall clock stands still");

        recent.keep(1, recent.before(), "yes");
        clock.advance(Duration::from_millis(999));
        assert_eq!(recent.get(&1), Some("yes"));
        clock.advance(Duration::from_millis(1));
        assert_eq!(recent.get(&1), None, "the machine slept");
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_of_this_process_voids_what_was_read_and_what_is_being_read() {
        let Memory { changes, recent, .. } = memory(10);
        recent.keep(1, recent.before(), "yes");
        let under_way = recent.before();
        changes.note();
        recent.keep(2, under_way, "yes");
        assert_eq!((recent.get(&1), recent.get(&2)), (None, None));
        recent.keep(1, recent.before(), "yes");
        assert_eq!(recent.get(&1), Some("yes"));
    }

    #[tokio::test]
    async fn no_more_is_remembered_than_allowed() {
        let Memory { recent, .. } = memory(10);
        for key in 0..1000 {
            recent.keep(key, recent.before(), "yes");
        }
        recent.entries.run_pending_tasks();
        assert!(recent.entries.entry_count() <= 10, "{}", recent.entries.entry_count());
    }
}
