//! One owner's summary and pages, as one process writes them.
//!
//! Every commit is guarded by the summary's version, so of two gateways that write at the same time one reads
//! again and adds to what the other wrote. Every part carries its step of this process, and the summary keeps
//! the last step of each process: a part whose outcome was never told (a connection that broke) is tried
//! again without being counted twice.

use std::collections::BTreeMap;

use coffer_core::UserId;
use coffer_store::records::{StoreError, Version};

use super::page::{Page, PageId};
use super::part::{CUTS_MAX, NamedDelta, PAGES_MAX, Part};
use super::summary::Summary;
use super::top::Top;
use super::totals::{CHANGES_PER_REVISION_MAX, Totals};
use super::writer::Writer;
use crate::repo::usage::{self, Scope, Write};

/// Pages that a commit changes at the very most: for keys that are gone, and should others have cut pages since
/// a part was cut.
const PAGES_READ_MAX: usize = CHANGES_PER_REVISION_MAX;
/// Bytes of the names in a page from which on it takes no new key until it has been cut.
const PAGE_FULL_BYTES: usize = 768 * 1024;

/// The last that was read or written of one owner.
#[derive(Debug)]
pub(super) struct Ledger<'a> {
    writer: &'a Writer,
    owner: UserId,
    version: Option<Version>,
    pub(super) summary: Summary,
}

/// What came of a try to commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    /// It is written.
    Written,
    /// Somebody else wrote first, or nobody can tell. The summary has been read again.
    Again,
}

impl<'a> Ledger<'a> {
    /// Reads an owner's summary.
    pub(super) async fn read(writer: &'a Writer, owner: UserId) -> Result<Self, StoreError> {
        let (version, summary) = writer.repo.summary(Scope::Owner(owner)).await?;
        Ok(Self { writer, owner, version, summary })
    }

    /// Whose summary it is.
    pub(super) fn owner(&self) -> UserId {
        self.owner
    }

    /// The version of the summary; 0 if there is none.
    pub(super) fn version(&self) -> u64 {
        self.version.map_or(0, |version| version.0)
    }

    /// Tries to write a part.
    pub(super) async fn add(&mut self, part: &Part) -> Result<Tried, StoreError> {
        let mut summary = self.summary.clone();
        summary.note(self.writer.id, part.step, self.writer.clock.now());
        summary.add(&part.aggregates, None, &self.writer.calendar);
        self.write(summary, &part.keys).await
    }

    /// Tries to write new totals, and that keys are gone.
    pub(super) async fn set_totals(
        &mut self,
        totals: Totals,
        gone: &[NamedDelta],
    ) -> Result<Tried, StoreError> {
        let mut summary = self.summary.clone();
        summary.totals = totals;
        self.write(summary, gone).await
    }

    /// Tries to fill the list of the most used keys anew, from all pages.
    pub(super) async fn refill_top(&mut self) -> Result<Tried, StoreError> {
        let (mut top, mut after) = (Top::default(), None);
        loop {
            let pages = self.writer.repo.walk(self.owner, (None, after.as_ref()), 64).await?;
            for opened in &pages.items {
                for (key, access) in usage::page(opened)?.keys() {
                    top.offer(None, key, (access.count(), access.last_at));
                }
            }
            match pages.items.last() {
                Some(last) if pages.more => after = Some(last.sort.clone()),
                _ => break,
            }
        }
        let mut summary = self.summary.clone();
        summary.top = top;
        self.write(summary, &[]).await
    }

    async fn write(&mut self, mut summary: Summary, keys: &[NamedDelta]) -> Result<Tried, StoreError> {
        let mut by_page: BTreeMap<PageId, Vec<&NamedDelta>> = BTreeMap::new();
        for key in keys {
            by_page.entry(summary.cuts.page_of(key.0)).or_default().push(key);
        }
        while by_page.len() > PAGES_READ_MAX {
            let unnoted = by_page.pop_last().map_or(0, |(_, keys)| keys.len());
            summary.undetailed += u64::try_from(unnoted).unwrap_or(u64::MAX);
        }
        let ids: Vec<PageId> = by_page.keys().copied().collect();
        let opened =
            if ids.is_empty() { Vec::new() } else { self.writer.repo.pages(self.owner, &ids).await? };
        let (mut pages, mut cuts) = (Vec::with_capacity(ids.len()), 0);
        for ((id, keys), opened) in by_page.into_iter().zip(&opened) {
            let mut page = opened.as_ref().map(usage::page).transpose()?.unwrap_or_default();
            apply(&mut page, &keys, &mut summary);
            match if cuts < CUTS_MAX && ids.len() <= PAGES_MAX { page.cut(id) } else { None } {
                Some(pieces) => {
                    cuts += 1;
                    summary.cuts.insert(id);
                    pages.push((id, None));
                    pages.extend(pieces.into_iter().map(|(id, piece)| (id, Some(piece))));
                }
                None => pages.push((id, (!page.is_empty()).then_some(page))),
            }
        }
        summary.forget(self.writer.clock.now(), (self.writer.retention, &self.writer.calendar));
        let write = Write { read: self.version, summary: &summary, pages, shares: Vec::new() };
        match self.writer.repo.commit(Scope::Owner(self.owner), write).await {
            Ok(Some(version)) => {
                (self.version, self.summary) = (Some(version), summary);
                Ok(Tried::Written)
            }
            Ok(None) => self.read_again().await,
            Err(error) => Err(error),
        }
    }

    /// Reads what others wrote meanwhile.
    pub(super) async fn read_again(&mut self) -> Result<Tried, StoreError> {
        (self.version, self.summary) = self.writer.repo.summary(Scope::Owner(self.owner)).await?;
        Ok(Tried::Again)
    }
}

/// Applies what happened to keys of one page to the page and the summary.
fn apply<'a>(page: &mut Page<'a>, keys: &[&'a NamedDelta], summary: &mut Summary) {
    let is_full = page.name_bytes() > PAGE_FULL_BYTES;
    for (_, key, delta) in keys {
        let before = page.get(key);
        let after = delta.apply(before);
        match (&before, &after) {
            (None, Some(access)) if is_full => {
                summary.undetailed += access.count();
                continue;
            }
            (None, Some(_)) => summary.unique_keys += 1,
            (Some(_), None) => summary.unique_keys = summary.unique_keys.saturating_sub(1),
            _ => {}
        }
        page.set(key, after.as_ref());
        match &after {
            Some(access) => summary.top.offer(None, key, (access.count(), access.last_at)),
            None => summary.top.remove(None, key),
        }
    }
}
