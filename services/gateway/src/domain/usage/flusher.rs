//! When things are written: within a second, and at a stop. And when totals are looked after.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use coffer_core::UserId;
use coffer_store::records::StoreError;
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::{Mutex as AsyncMutex, Notify};
use tokio::time::{Instant, sleep_until};

use super::everybody::{AllPart, ForAll};
use super::part::Part;
use super::pending::Pending;
use super::recorder::Recorder;
use super::recount::recount;
use super::writer::{Leftover, Writer};

/// What was counted is written, and so shows, within a second of when it was counted. Of that, this is for what
/// nobody foresees.
const SHOWN_WITHIN: Duration = Duration::from_millis(900);
/// Flushes are not closer to each other than this, also where they take long.
const INTERVAL_MIN: Duration = Duration::from_millis(250);
/// Owners that are written at the same time.
const OWNERS_AT_ONCE: usize = 8;
/// Owners whose totals are looked after in one step, when nothing else asks for it.
const ROUND_OWNERS: usize = 100;
/// The pause between such steps.
const ROUND_PAUSE: Duration = Duration::from_secs(1);

/// What is known of writing.
#[derive(Debug, Default)]
pub(super) struct Flusher {
    /// Held while a flush is under way.
    state: AsyncMutex<State>,
    /// Owners whose keys must be counted.
    uncounted: Mutex<BTreeSet<UserId>>,
    more_uncounted: Notify,
}

/// How long after the beginning of a flush the next one begins, if it `took` so long: the more seldom, the fewer
/// writes the same operations are; but the oldest of them must be written in time, also if the next takes half as long again.
fn interval_after(took: Duration) -> Duration {
    SHOWN_WITHIN.saturating_sub(took * 3 / 2).max(INTERVAL_MIN)
}

#[derive(Debug, Default)]
struct State {
    /// Parts of which nobody knows whether they were written.
    unsure: HashMap<UserId, Part>,
    all: ForAll,
    all_unsure: Option<AllPart>,
}

impl Flusher {
    /// Writes everything that was counted so far.
    pub(super) async fn flush(&self, recorder: &Recorder, writer: &Writer) -> Result<(), StoreError> {
        let mut state = self.state.lock().await;
        let taken = recorder.take();
        if taken.lost > 0 {
            tracing::warn!(operations = taken.lost, "too many owners at once: operations were not counted");
        }
        let mut pending: HashMap<UserId, Pending> = taken.owners.into_iter().collect();
        for owner in state.unsure.keys() {
            pending.entry(*owner).or_default();
        }
        let work: Vec<_> = pending
            .into_iter()
            .map(|(owner, pending)| (owner, pending, state.unsure.remove(&owner)))
            .collect();
        let mut written = stream::iter(work)
            .map(|(owner, pending, unsure)| async move {
                let mut all = ForAll::default();
                let left = writer.write(owner, (pending, unsure), &mut all).await;
                (owner, left, all)
            })
            .buffer_unordered(OWNERS_AT_ONCE);
        let mut outcome = Ok(());
        while let Some((owner, left, all)) = written.next().await {
            state.all.merge(all);
            let Leftover { pending, unsure, wants_recount, error } = left;
            if let Some(pending) = pending {
                recorder.put_back(owner, pending);
            }
            state.unsure.extend(unsure.map(|part| (owner, part)));
            outcome = error.map_or(outcome, Err);
            if wants_recount {
                self.uncounted.lock().unwrap_or_else(PoisonError::into_inner).insert(owner);
                self.more_uncounted.notify_one();
            }
        }
        let State { all, all_unsure, .. } = &mut *state;
        outcome.and(all.write(writer, all_unsure).await)
    }

    /// Writes what was counted, again and again.
    pub(super) async fn flush_forever(&self, recorder: &Recorder, writer: &Writer) {
        loop {
            let started = Instant::now();
            if let Err(error) = self.flush(recorder, writer).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "usage figures wait for the storage"
                );
            }
            sleep_until(started + interval_after(started.elapsed())).await;
        }
    }

    /// Counts the keys of owners whose totals cannot be told otherwise, one owner at a time; and goes round all
    /// owners often enough that no change leaves the log before it is in the totals.
    pub(super) async fn count_forever(&self, recorder: &Recorder, writer: &Writer) {
        let round = writer.keys.log_retention() / 8;
        let going_round = async {
            loop {
                self.go_round(recorder, writer).await;
                tokio::time::sleep(round).await;
            }
        };
        let counting = async {
            loop {
                self.more_uncounted.notified().await;
                self.count_uncounted(recorder, writer).await;
            }
        };
        tokio::join!(going_round, counting);
    }

    async fn count_uncounted(&self, recorder: &Recorder, writer: &Writer) {
        loop {
            let next = self.uncounted.lock().unwrap_or_else(PoisonError::into_inner).pop_first();
            let Some(owner) = next else { return };
            match recount(writer, owner).await {
                Ok(()) => recorder.changed(owner),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "keys could not be counted");
                    // The next flush of this owner, or the next round, asks again.
                }
            }
        }
    }

    async fn go_round(&self, recorder: &Recorder, writer: &Writer) {
        let mut after = None;
        loop {
            match writer.repo.owners(after, ROUND_OWNERS).await {
                Ok(owners) if owners.is_empty() => return,
                Ok(owners) => {
                    for owner in &owners {
                        recorder.changed(*owner);
                    }
                    after = owners.last().copied();
                }
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "totals wait for the storage");
                }
            }
            tokio::time::sleep(ROUND_PAUSE).await;
        }
    }

    /// Counts now what would be counted in the background, for tests.
    #[cfg(test)]
    pub(super) async fn count_now(&self, recorder: &Recorder, writer: &Writer) {
        self.count_uncounted(recorder, writer).await;
    }
}
