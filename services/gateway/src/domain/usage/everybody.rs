//! The figures of all owners together, for administrators.
//!
//! Each flush adds what it wrote for single owners to one summary. Totals of keys are no sum of deltas there:
//! every owner's share stands beside the summary with the version of the owner's summary that it was taken
//! from, and the sum moves by the difference, so that taking a share twice, or an old one late, changes nothing.

use std::collections::HashMap;

use coffer_core::UserId;
use coffer_store::records::StoreError;

use super::ledger::Ledger;
use super::operation::Recent;
use super::part::Part;
use super::pending::Aggregates;
use super::summary::Summary;
use super::top::TopKey;
use super::writer::{Stuck, Writer, busy};
use crate::repo::usage::{Scope, Share, Write};

/// Shares that one commit writes, at most.
const SHARES_MAX: usize = 200;
const TRIES_MAX: u32 = 32;

/// What was written for single owners and not yet for all.
#[derive(Debug, Default)]
pub(super) struct ForAll {
    aggregates: Aggregates,
    /// Keys whose count changed: as they now stand in their owner's list, or that they are not there.
    touched: HashMap<(UserId, Box<str>), Option<TopKey>>,
    shares: HashMap<UserId, Share>,
}

/// As much of it as one commit takes.
#[derive(Debug)]
pub(super) struct AllPart {
    step: u64,
    what: ForAll,
}

impl ForAll {
    /// Takes note of a part that was written.
    pub(super) fn take(&mut self, owner: UserId, part: &Part, ledger: &Ledger<'_>) {
        let mut aggregates = part.aggregates.clone();
        aggregates.recent.iter_mut().for_each(|one| *one = Recent { owner: Some(owner), ..one.clone() });
        self.aggregates.merge(aggregates);
        let known: HashMap<&str, &TopKey> =
            ledger.summary.top.keys().iter().map(|one| (one.key.as_str(), one)).collect();
        for (_, key, delta) in &part.keys {
            let listed = known.get(&**key).map(|one| TopKey { owner: Some(owner), ..(*one).clone() });
            if listed.is_some() || delta.is_dropped() {
                self.touched.insert((owner, key.clone()), listed);
            }
        }
    }

    /// Takes note of keys that are gone.
    pub(super) fn gone(&mut self, owner: UserId, keys: impl IntoIterator<Item = Box<str>>) {
        self.touched.extend(keys.into_iter().map(|key| ((owner, key), None)));
    }

    /// Takes note of what an owner's keys come to.
    pub(super) fn share(&mut self, owner: UserId, ledger: &Ledger<'_>) {
        let Summary { totals, unique_keys, .. } = &ledger.summary;
        let share = Share { sizes: totals.sizes, unique_keys: *unique_keys, version: ledger.version() };
        self.shares.insert(owner, share);
    }

    /// What `later` took note of after this.
    pub(super) fn merge(&mut self, later: Self) {
        self.aggregates.merge(later.aggregates);
        self.touched.extend(later.touched);
        self.shares.extend(later.shares);
    }

    fn is_empty(&self) -> bool {
        self.aggregates.is_empty() && self.touched.is_empty() && self.shares.is_empty()
    }

    fn cut(&mut self, step: u64) -> AllPart {
        let mut owners: Vec<UserId> = self.shares.keys().copied().collect();
        owners.truncate(SHARES_MAX);
        let shares = owners.iter().filter_map(|owner| self.shares.remove_entry(owner)).collect();
        let (aggregates, touched) = (std::mem::take(&mut self.aggregates), std::mem::take(&mut self.touched));
        AllPart { step, what: Self { aggregates, touched, shares } }
    }

    /// Writes all of it. What could not be written stays; a part that may have been is in `unsure`.
    pub(super) async fn write(
        &mut self,
        writer: &Writer,
        unsure: &mut Option<AllPart>,
    ) -> Result<(), StoreError> {
        if let Some(part) = unsure {
            part.add(writer).await.map_err(|stuck| stuck.error)?;
            *unsure = None;
        }
        while !self.is_empty() {
            let part = self.cut(writer.next_step());
            match part.add(writer).await {
                Ok(()) => {}
                Err(Stuck { is_unsure: true, error }) => {
                    *unsure = Some(part);
                    return Err(error);
                }
                Err(Stuck { is_unsure: false, error }) => {
                    let later = std::mem::replace(self, part.what);
                    self.merge(later);
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

impl AllPart {
    async fn add(&self, writer: &Writer) -> Result<(), Stuck> {
        let mut is_unsure = false;
        for _ in 0..TRIES_MAX {
            match self.try_add(writer).await {
                Ok(true) => return Ok(()),
                Ok(false) => writer.pause().await,
                Err(StoreError::OutcomeUnknown { .. }) => is_unsure = true,
                Err(error) => return Err(Stuck { is_unsure, error }),
            }
        }
        Err(Stuck { is_unsure, error: busy() })
    }

    async fn try_add(&self, writer: &Writer) -> Result<bool, StoreError> {
        let (read, mut summary) = writer.repo.summary(Scope::All).await?;
        if summary.contains(writer.id, self.step) {
            return Ok(true);
        }
        summary.note(writer.id, self.step, writer.clock.now());
        summary.add(&self.what.aggregates, None, &writer.calendar);
        for ((owner, key), listed) in &self.what.touched {
            match listed {
                Some(listed) => summary.top.offer(Some(*owner), key, (listed.count, listed.last_at)),
                None => summary.top.remove(Some(*owner), key),
            }
        }
        let shares = self.newer_shares(writer, &mut summary).await?;
        summary.forget(writer.clock.now(), (writer.retention, &writer.calendar));
        let write = Write { read, summary: &summary, pages: Vec::new(), shares };
        Ok(writer.repo.commit(Scope::All, write).await?.is_some())
    }

    /// The shares that are newer than what is known, whose difference is added to the totals.
    async fn newer_shares(
        &self,
        writer: &Writer,
        summary: &mut Summary,
    ) -> Result<Vec<(UserId, Share)>, StoreError> {
        let owners: Vec<UserId> = self.what.shares.keys().copied().collect();
        if owners.is_empty() {
            return Ok(Vec::new());
        }
        let known = writer.repo.shares(&owners).await?;
        let mut newer = Vec::with_capacity(owners.len());
        for (owner, known) in owners.into_iter().zip(known) {
            let share = self.what.shares[&owner];
            if share.version > known.version {
                summary.totals.sizes += share.sizes - known.sizes;
                summary.unique_keys =
                    (summary.unique_keys + share.unique_keys).saturating_sub(known.unique_keys);
                newer.push((owner, share));
            }
        }
        Ok(newer)
    }
}
