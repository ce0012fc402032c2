//! How long cached answers of the KMS may be believed.
//!
//! A service keeps sessions and what they may do in memory and follows the KMS's revocation feed to drop what was
//! revoked. A poll of the feed brings every event that was committed before the poll *started*; so until
//! two seconds after the start of the last good poll, nothing in memory is staler than two seconds. After
//! that nothing in memory may be used: better no answer than one that a revocation has overtaken.
//!
//! The feed tells what the KMS did, not what a KMS that died in the middle had begun: a revocation takes
//! effect in one commit and is told in another. So an answer is also believed for [`ANSWER_AGE_MAX`] only
//! and then asked for anew, whatever the feed says.
//!
//! Time here is the machine's monotonic time: a wall clock that is set back must not stretch the bound.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Cached answers may be used for this long after the start of the last good poll.
pub const STALE_AFTER: Duration = Duration::from_secs(2);

/// A cached answer may be used for this long after it was asked for. It bounds what a KMS that was killed
/// between taking something away and telling the feed leaves open.
pub const ANSWER_AGE_MAX: Duration = Duration::from_mins(1);

/// Whether what is cached may be used, and whether an answer that is under way may still be cached.
#[derive(Debug)]
pub struct Freshness {
    base: Instant,
    // Milliseconds from `base` to the moment when what is cached becomes stale; 0 before the first poll.
    stale_at_ms: AtomicU64,
    // Grows whenever events are about to be applied.
    generation: AtomicU64,
}

/// A place in the stream of events and in time, taken before the KMS is asked, and kept with its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    generation: u64,
    asked_at: Instant,
}

impl Mark {
    /// Whether an answer to what was asked at this mark is young enough to be used again.
    pub fn is_young(&self) -> bool {
        self.asked_at.elapsed() < ANSWER_AGE_MAX
    }
}

impl Default for Freshness {
    fn default() -> Self {
        Self { base: Instant::now(), stale_at_ms: AtomicU64::new(0), generation: AtomicU64::new(0) }
    }
}

impl Freshness {
    /// Whether cached answers may be used now.
    pub fn is_fresh(&self) -> bool {
        ms(self.base.elapsed()) < self.stale_at_ms.load(Ordering::Acquire)
    }

    /// Take this before asking the KMS something whose answer is to be cached.
    pub fn mark(&self) -> Mark {
        Mark { generation: self.generation.load(Ordering::Acquire), asked_at: Instant::now() }
    }

    /// Whether no event has been applied since `mark`. An answer asked for before an event may tell what
    /// was true before it, so it may serve the request that asked, but must not be kept.
    ///
    /// Any event counts, also one about somebody else: events are rare beside requests, an answer that is
    /// not kept costs one call, and a rule this simple has no gaps.
    pub fn is_unchanged_since(&self, mark: Mark) -> bool {
        self.generation.load(Ordering::Acquire) == mark.generation
    }

    /// Events are about to be applied: answers that are under way must not be kept. Call it before the
    /// first entry is dropped.
    pub(crate) fn begin_events(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// A poll that started at `started` brought everything and everything it brought has been applied.
    pub(crate) fn caught_up(&self, started: Instant) {
        let stale_at = started.saturating_duration_since(self.base) + STALE_AFTER;
        self.stale_at_ms.fetch_max(ms(stale_at), Ordering::AcqRel);
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nothing_is_fresh_before_the_first_poll() {
        assert!(!Freshness::default().is_fresh());
    }

    #[tokio::test(start_paused = true)]
    async fn freshness_counts_from_the_start_of_a_poll_and_ends_after_two_seconds() {
        let freshness = Freshness::default();
        let started = Instant::now();
        tokio::time::advance(Duration::from_millis(700)).await;
        freshness.caught_up(started);
        assert!(freshness.is_fresh());
        tokio::time::advance(Duration::from_millis(1299)).await;
        assert!(freshness.is_fresh());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!freshness.is_fresh());
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_that_ends_late_does_not_take_back_what_a_later_one_gave() {
        let freshness = Freshness::default();
        let early = Instant::now();
        tokio::time::advance(Duration::from_secs(3)).await;
        freshness.caught_up(Instant::now());
        freshness.caught_up(early);
        assert!(freshness.is_fresh());
    }
}
