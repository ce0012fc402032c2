//! Writes what was counted for one owner: first what the change log says of the keys, then, part by part, the
//! operations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use coffer_core::{Clock, Random, Timestamp, UserId};
use coffer_store::records::StoreError;
use moka::sync::Cache;

use super::access::KeyDelta;
use super::calendar::Calendar;
use super::everybody::ForAll;
use super::ledger::{Ledger, Tried};
use super::page::KeyHash;
use super::part::{NamedDelta, Part, Rest};
use super::pending::Pending;
use super::summary::{Retention, WriterId};
use super::totals::{CHANGES_PER_REVISION_MAX, Change, Changes, Keys, Totals};
use crate::repo::usage::UsageRepo;

/// How often a commit is tried while others write too.
const TRIES_MAX: u32 = 32;
/// The longest pause before the next try.
const PAUSE_MAX: Duration = Duration::from_millis(40);
/// Commits that are read from the log at once.
const COMMITS_MAX: usize = 500;

/// What writing needs.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) repo: UsageRepo,
    pub(super) keys: Arc<dyn Keys>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) calendar: Calendar,
    pub(super) retention: Retention,
    /// This process.
    pub(super) id: WriterId,
    pub(super) steps: AtomicU64,
    /// How many keys owners had when their figures were last written.
    pub(super) key_counts: Cache<UserId, u64>,
}

/// Why something was not written.
#[derive(Debug)]
pub(super) struct Stuck {
    /// Whether it may have been written all the same.
    pub(super) is_unsure: bool,
    pub(super) error: StoreError,
}

/// What is left when an owner's figures could not all be written.
#[derive(Debug, Default)]
pub(super) struct Leftover {
    /// What was surely not written.
    pub(super) pending: Option<Pending>,
    /// What may have been written: it is tried again, as it is, before anything else.
    pub(super) unsure: Option<Part>,
    /// Whether the owner's keys must be counted anew.
    pub(super) wants_recount: bool,
    pub(super) error: Option<StoreError>,
}

impl Writer {
    /// The next step of this process.
    pub(super) fn next_step(&self) -> u64 {
        self.steps.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Writes what was counted for `owner`, and before it a part whose fate is not known. What was written is
    /// told to `all` too.
    pub(super) async fn write(
        &self,
        owner: UserId,
        (pending, unsure): (Pending, Option<Part>),
        all: &mut ForAll,
    ) -> Leftover {
        let mut left = Leftover { pending: Some(pending), unsure, ..Leftover::default() };
        if let Err(error) = self.try_write(owner, &mut left, all).await {
            left.error = Some(error);
        }
        left
    }

    async fn try_write(
        &self,
        owner: UserId,
        left: &mut Leftover,
        all: &mut ForAll,
    ) -> Result<(), StoreError> {
        let mut ledger = Ledger::read(self, owner).await?;
        if let Some(part) = &left.unsure {
            self.add(&mut ledger, part).await.map_err(|stuck| stuck.error)?;
            all.take(owner, part, &ledger);
            left.unsure = None;
        }
        let mut pending = left.pending.take().unwrap_or_default();
        let totals = ledger.summary.totals;
        if totals.is_overtaken(self.clock.now(), self.keys.log_retention()) {
            left.wants_recount = true;
        } else if pending.has_changes || self.is_stale(&totals) {
            match self.fold(&mut ledger).await {
                Ok(gone) => {
                    pending.keys.retain(|key, _| !gone.contains(key));
                    all.gone(owner, gone);
                }
                Err(error) => {
                    left.pending = Some(pending);
                    return Err(error);
                }
            }
        }
        let mut rest = Rest::from(pending);
        while !rest.is_empty() {
            let part = rest.cut(&ledger.summary.cuts, self.next_step());
            match self.add(&mut ledger, &part).await {
                Ok(()) => all.take(owner, &part, &ledger),
                Err(Stuck { is_unsure: true, error }) => {
                    (left.unsure, left.pending) = (Some(part), Some(rest.into_pending()));
                    return Err(error);
                }
                Err(Stuck { is_unsure: false, error }) => {
                    let mut pending = part.into_pending();
                    pending.merge(rest.into_pending());
                    left.pending = Some(pending);
                    return Err(error);
                }
            }
        }
        all.share(owner, &ledger);
        let totals = ledger.summary.totals;
        if totals.complete_at.is_some() {
            self.key_counts.insert(owner, u64::try_from(totals.sizes.keys).unwrap_or(0));
        }
        if ledger.summary.top.is_worn() {
            // If somebody else writes meanwhile, the next flush does it.
            ledger.refill_top().await?;
        }
        Ok(())
    }

    /// Whether totals that nothing changed should say that they are still complete.
    fn is_stale(&self, totals: &Totals) -> bool {
        let retention = self.keys.log_retention();
        totals.complete_at.is_some_and(|at| self.clock.now().since(at) > retention / 8)
    }

    /// Writes one part.
    async fn add(&self, ledger: &mut Ledger<'_>, part: &Part) -> Result<(), Stuck> {
        let mut is_unsure = false;
        for _ in 0..TRIES_MAX {
            if ledger.summary.contains(self.id, part.step) {
                return Ok(());
            }
            let mut tried = ledger.add(part).await;
            if matches!(tried, Err(StoreError::OutcomeUnknown { .. })) {
                is_unsure = true;
                tried = ledger.read_again().await;
            }
            match tried {
                Ok(Tried::Written) => return Ok(()),
                Ok(Tried::Again) => self.pause().await,
                Err(error) => return Err(Stuck { is_unsure, error }),
            }
        }
        Err(Stuck { is_unsure, error: busy() })
    }

    /// Brings an owner's totals up to the end of the change log. Gives the keys that are gone.
    pub(super) async fn fold(&self, ledger: &mut Ledger<'_>) -> Result<BTreeSet<Box<str>>, StoreError> {
        let (mut all_gone, mut tries) = (BTreeSet::new(), 0);
        while tries < TRIES_MAX {
            let now = self.clock.now();
            let mut totals = ledger.summary.totals;
            let page = self.keys.changes(ledger.owner(), totals.revision, COMMITS_MAX).await?;
            let (taken, dropped) = droppable(&page.items, ledger);
            totals.fold(&page.items[..taken]);
            let is_last = !page.more && taken == page.items.len();
            if is_last {
                totals.complete_at = Some(now);
            }
            if page.items.is_empty() && !self.is_stale(&ledger.summary.totals) {
                return Ok(all_gone);
            }
            for change in page.items[..taken].iter().flat_map(|commit| &commit.changes) {
                let key: Box<str> = change.key.as_str().into();
                let _ = if change.fate.is_gone() { all_gone.insert(key) } else { all_gone.remove(&key) };
            }
            match ledger.set_totals(totals, &dropped).await {
                Ok(Tried::Written) if is_last => return Ok(all_gone),
                Ok(Tried::Written) => {}
                Ok(Tried::Again) => {
                    tries += 1;
                    self.pause().await;
                }
                // The totals name their revision, so reading them again tells what happened.
                Err(StoreError::OutcomeUnknown { .. }) => {
                    tries += 1;
                    ledger.read_again().await?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(busy())
    }

    /// Waits a little, so that two who write at the same time do not do so again.
    pub(super) async fn pause(&self) {
        let mut byte = [0];
        self.random.fill(&mut byte);
        tokio::time::sleep(PAUSE_MAX * u32::from(byte[0]) / 256).await;
    }
}

pub(super) fn busy() -> StoreError {
    StoreError::Unavailable {
        doing: "writing usage figures",
        source: "other processes were faster every time".into(),
    }
}

/// How many of these commits one of ours takes in, and the keys that are dropped from their pages with it.
fn droppable(commits: &[Changes], ledger: &Ledger<'_>) -> (usize, Vec<NamedDelta>) {
    let (mut pages, mut dropped) = (BTreeSet::new(), BTreeMap::new());
    for (taken, commit) in commits.iter().enumerate() {
        let gone = || commit.changes.iter().filter(|change| change.fate.is_gone());
        pages.extend(gone().map(|change| ledger.summary.cuts.page_of(KeyHash::of(&change.key))));
        if pages.len() > CHANGES_PER_REVISION_MAX {
            return (taken, dropped.into_values().collect());
        }
        for Change { key, .. } in gone() {
            // Whatever was counted of the key was counted before it was gone.
            let delta = KeyDelta::dropped(Timestamp::from_ms(i64::MAX));
            dropped.insert(key.as_str(), (KeyHash::of(key), key.as_str().into(), delta));
        }
    }
    (commits.len(), dropped.into_values().collect())
}
