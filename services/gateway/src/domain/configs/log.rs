//! How much is kept of what happened.
//!
//! A change leaves an entry in the log also where it leaves nothing else (what is made and deleted again), so the log is
//! charged and bounded for itself: to all name spaces' total as it is written, and to a limit of its own, over which the
//! oldest half goes. No change is refused because of its log: where the total is full, the log of who writes goes first. Who
//! watches from before what is gone is told so (`410`) and begins anew.
//!
//! Entries expire without anybody counting them. So the counter says what was written since the last look at the log,
//! and a look compares it with what is there: the counter's own version says up to which entry it counts. A look is taken
//! when the log is over its limit, and about once an hour when what it counts for is worth it. What a name space that
//! nobody changes any more counts for stays, up to the limit, until somebody does.
//!
//! The road not taken: charging the log to what the name space may use. A full name space could then be neither
//! emptied nor watched being emptied.

use std::time::Duration;

use super::space::OpenSpace;
use super::{ConfigsError, Holder};
use crate::repo::configs::Weighed;

/// Entries that are removed by one commit, at most.
const CUT_MAX: usize = 256;
/// The pause between two looks at a log that is within its limit.
const LOOK: Duration = Duration::from_hours(1);
/// The part of its limit below which a log is not looked at.
const WORTH: i64 = 16;

impl Holder {
    /// Lets go of the oldest entries if the log counts for too much, and of what those count for that expired.
    pub(super) async fn keep_log_short(&self, space: &OpenSpace, log_bytes: i64) {
        let inner = &self.configs().0;
        let (bytes_max, now) = (self.log_bytes_max(), inner.clock.now());
        if log_bytes <= bytes_max / WORTH {
            return;
        }
        // One at a time. Whoever is far ahead of the one who cuts waits for him: so there is an end to the log.
        let Ok(mut seen) = space.log_seen.try_lock() else {
            if log_bytes > bytes_max.saturating_mul(2) {
                drop(space.log_seen.lock().await);
            }
            return;
        };
        if log_bytes <= bytes_max && seen.is_some_and(|at| now.since(at) < LOOK) {
            return;
        }
        *seen = Some(now);
        // The change itself was made, so this is no failure of it; the next change tries again.
        if let Err(error) = self.cut_log(space, bytes_max / 2).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "the log of changes is not cut");
        }
    }

    /// Lets go of the whole log: what it counts for is needed.
    pub(super) async fn give_log_up(&self, space: &OpenSpace) -> Result<(), ConfigsError> {
        self.cut_log(space, 0).await
    }

    /// Lets go of what expired, and of the oldest entries, so that at most `keep` bytes are left, if they count for more
    /// than they may, or than they are to be.
    async fn cut_log(&self, space: &OpenSpace, keep: i64) -> Result<(), ConfigsError> {
        let inner = &self.configs().0;
        let mut state = inner.repo.log_state(&space.keys).await?;
        let entries = inner.repo.log_entries(&space.keys, state.counted).await?;
        let there: i64 = entries.iter().map(|entry| entry.charge).sum();
        let is_over = keep == 0 || there > self.log_bytes_max();
        let gone = if is_over { &entries[..too_old(&entries, (there, keep))] } else { &[] };
        // What expired goes with the first.
        let mut expired = state.bytes - there;
        let mut rest = gone;
        while expired != 0 || !rest.is_empty() {
            let (cut, after) = rest.split_at(rest.len().min(CUT_MAX));
            let bytes = expired + cut.iter().map(|entry| entry.charge).sum::<i64>();
            let Some(then) = inner.repo.cut_log(&space.keys, (state, cut), bytes).await? else {
                return Ok(());
            };
            (state, rest, expired) = (then, after, 0);
            inner.quota.free(bytes).await;
        }
        Ok(())
    }

    fn log_bytes_max(&self) -> i64 {
        i64::try_from(self.configs().0.settings.watch_log_bytes_max).unwrap_or(i64::MAX)
    }
}

/// How many of the oldest entries have to go, so that at most `keep` bytes are left.
fn too_old(entries: &[Weighed], (there, keep): (i64, i64)) -> usize {
    let mut left = there;
    let goes = |entry: &&Weighed| {
        let goes = left > keep;
        left -= entry.charge;
        goes
    };
    entries.iter().take_while(goes).count()
}
