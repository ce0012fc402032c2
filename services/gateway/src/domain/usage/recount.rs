//! Counts an owner's keys, when the change log no longer tells how their totals came about.
//!
//! The keys are read page by page, in their order, while others may change them. After each page the changes
//! since are read too, and each is added unless what was read already contains it:
//!
//! - a key before the page was counted as it was then, so its change is added;
//! - a key within the page was read at some revision, so its changes after that one are added; if it was not
//!   there, it is what its changes since its last deletion make of it;
//! - a key after the page will be read later, so its change is passed over.
//!
//! Keys whose time is over are no longer found; what the log will say of them is counted at the start. Only a
//! key whose time runs out while its page has not been read yet is missed, and later subtracted all the same.

use std::collections::HashMap;

use coffer_core::UserId;
use coffer_store::records::StoreError;

use super::ledger::{Ledger, Tried};
use super::totals::{Change, Counted, Fate, Sizes, Totals};
use super::writer::{Writer, busy};

const PAGE_KEYS: usize = 1_000;
const COMMITS_MAX: usize = 1_000;
const TRIES_MAX: u32 = 32;

/// Counts the keys of `owner` and writes the totals.
pub(super) async fn recount(writer: &Writer, owner: UserId) -> Result<(), StoreError> {
    let now = writer.clock.now();
    let mut ledger = Ledger::read(writer, owner).await?;
    let counted = count(writer, owner).await?;
    let totals = Totals { complete_at: Some(now), ..counted };
    for _ in 0..TRIES_MAX {
        // Another gateway may have counted too, and folded more of the log since.
        if ledger.summary.totals.complete_at.is_some_and(|at| at >= now) {
            return Ok(());
        }
        match ledger.set_totals(totals, &[]).await {
            Ok(Tried::Written) => return Ok(()),
            Ok(Tried::Again) => writer.pause().await,
            Err(StoreError::OutcomeUnknown { .. }) => drop(ledger.read_again().await?),
            Err(error) => return Err(error),
        }
    }
    Err(busy())
}

/// What the keys of `owner` come to, and at which revision.
async fn count(writer: &Writer, owner: UserId) -> Result<Totals, StoreError> {
    let mut totals = expired(writer, owner).await?;
    let mut after: Option<String> = None;
    loop {
        let page = writer.keys.keys(owner, after.as_deref(), PAGE_KEYS).await?;
        for key in &page.items {
            totals.sizes += key.sizes;
        }
        let until = page.items.last().filter(|_| page.more).map(|last| last.key.clone());
        let read = PageRead { keys: page.items, after, until: until.clone() };
        read.catch_up(writer, (owner, &mut totals)).await?;
        match until {
            Some(until) => after = Some(until),
            None => return Ok(totals),
        }
    }
}

/// What the log will say of keys whose time is over, at a revision.
async fn expired(writer: &Writer, owner: UserId) -> Result<Totals, StoreError> {
    for _ in 0..TRIES_MAX {
        let revision = writer.keys.present(owner).await?;
        let sizes = writer.keys.expired(owner).await?;
        if writer.keys.changes(owner, revision, 1).await?.items.is_empty() {
            return Ok(Totals { sizes, revision, complete_at: None });
        }
        writer.pause().await;
    }
    Err(busy())
}

/// A page of keys that was read: those after `after`, up to and with `until`, or all the rest.
struct PageRead {
    keys: Vec<Counted>,
    after: Option<String>,
    until: Option<String>,
}

impl PageRead {
    /// Adds the changes in the log that what was counted so far does not contain.
    async fn catch_up(
        &self,
        writer: &Writer,
        (owner, totals): (UserId, &mut Totals),
    ) -> Result<(), StoreError> {
        let read: HashMap<&str, u64> = self.keys.iter().map(|key| (key.key.as_str(), key.revision)).collect();
        // What keys within the page came to be that were not there when it was read.
        let mut made: HashMap<String, Sizes> = HashMap::new();
        loop {
            let page = writer.keys.changes(owner, totals.revision, COMMITS_MAX).await?;
            for commit in &page.items {
                totals.revision = commit.revision;
                for change in &commit.changes {
                    let known = read.get(change.key.as_str()).copied();
                    self.add(
                        change,
                        known.map(|read| read < commit.revision),
                        (&mut totals.sizes, &mut made),
                    );
                }
            }
            if !page.more {
                break;
            }
        }
        for sizes in made.into_values() {
            totals.sizes += sizes;
        }
        Ok(())
    }

    /// Adds a change. `is_newer` says whether it is newer than what was read of its key, if that was read.
    fn add(
        &self,
        change: &Change,
        is_newer: Option<bool>,
        (sizes, made): (&mut Sizes, &mut HashMap<String, Sizes>),
    ) {
        let key = change.key.as_str();
        let is_before = self.after.as_deref().is_some_and(|after| key <= after);
        let is_after = self.until.as_deref().is_some_and(|until| key > until);
        match (change.fate, is_newer) {
            // What has expired was counted at the start, or when its page was read.
            (Fate::Expired | Fate::Settled, _) => *sizes += change.delta,
            _ if is_after => {}
            _ if is_before => *sizes += change.delta,
            (_, Some(true)) => *sizes += change.delta,
            (_, Some(false)) => {}
            (Fate::Deleted, None) => drop(made.remove(key)),
            (Fate::Stored, None) => *made.entry(change.key.clone()).or_default() += change.delta,
        }
    }
}
