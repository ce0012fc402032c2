//! Usage in the store.
//!
//! Table `usage`; a partition is an owner's id, or `all` for what concerns all owners together:
//!
//! | key | holds |
//! |---|---|
//! | `s` | the summary; every commit to the partition is guarded by its version |
//! | `p` / page | what is known of single keys, see [`page`](crate::domain::usage::page) |
//! | `o` / owner id | in `all` only: what that owner adds to the totals of all |
//!
//! All of it is sealed. Whoever holds the storage sees how many pages an owner has and when they change.

use coffer_core::UserId;
use coffer_store::records::{
    Opened, Outcome, Page as RecordPage, Partition, Sealed, SealedCommit, Sort, StoreError, Table, Version,
};
use serde::{Deserialize, Serialize};

use crate::domain::usage::page::{Page, PageId};
use crate::domain::usage::summary::Summary;
use crate::domain::usage::totals::Sizes;

const USAGE: Table = Table::new("usage");
const ALL: &str = "all";

/// Whose use is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One owner's.
    Owner(UserId),
    /// All owners' together.
    All,
}

/// What one owner adds to the totals of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The owner's totals.
    pub sizes: Sizes,
    /// The owner's keys that were used.
    pub unique_keys: u64,
    /// The version of the owner's summary that says so.
    pub version: u64,
}

/// One commit to a partition.
#[derive(Debug)]
pub struct Write<'a> {
    /// The version of the summary that was read, unless there was none.
    pub read: Option<Version>,
    /// The new summary.
    pub summary: &'a Summary,
    /// New pages, and pages that are no more.
    pub pages: Vec<(PageId, Option<Page<'a>>)>,
    /// New shares.
    pub shares: Vec<(UserId, Share)>,
}

/// The use of all owners' keys.
#[derive(Clone, Debug)]
pub struct UsageRepo {
    store: Sealed,
}

fn partition(scope: Scope) -> Partition {
    match scope {
        Scope::Owner(owner) => Partition::new(USAGE, owner.as_bytes()),
        Scope::All => Partition::new(USAGE, ALL),
    }
}

fn summary_sort() -> Sort {
    Sort::of("s").build()
}

fn page_sort(page: PageId) -> Sort {
    Sort::of("p").and(page.to_bytes()).build()
}

fn share_sort(owner: UserId) -> Sort {
    Sort::of("o").and(owner.as_bytes()).build()
}

impl UsageRepo {
    /// The use that `store` holds.
    pub fn new(store: Sealed) -> Self {
        Self { store }
    }

    /// The summary of a scope and its version; an empty one if there is none.
    pub async fn summary(&self, scope: Scope) -> Result<(Option<Version>, Summary), StoreError> {
        let stored = self.store.get_as::<Summary>(&partition(scope), &summary_sort()).await?;
        Ok(stored.map_or_else(Default::default, |stored| (Some(stored.version), stored.value)))
    }

    /// Pages of an owner, at most 256, as asked; absent ones are `None`. [`page`] reads them.
    pub async fn pages(&self, owner: UserId, pages: &[PageId]) -> Result<Vec<Option<Opened>>, StoreError> {
        let sorts: Vec<Sort> = pages.iter().map(|page| page_sort(*page)).collect();
        self.store.get_many(&partition(Scope::Owner(owner)), &sorts).await
    }

    /// At most `limit` pages of an owner in the order of their keys' hashes, beginning with `from` or after
    /// `after`.
    pub async fn walk(
        &self,
        owner: UserId,
        (from, after): (Option<PageId>, Option<&Sort>),
        limit: usize,
    ) -> Result<RecordPage<Opened>, StoreError> {
        let mut range = Sort::of("p").children();
        if let Some(from) = from {
            range.from = bytes::Bytes::copy_from_slice(page_sort(from).as_bytes());
        }
        let range = after.map_or(range.clone(), |after| range.after(after));
        self.store.scan(&partition(Scope::Owner(owner)), &range, limit).await
    }

    /// What owners add to the totals of all, in the order asked, at most 256.
    pub async fn shares(&self, owners: &[UserId]) -> Result<Vec<Share>, StoreError> {
        let sorts: Vec<Sort> = owners.iter().map(|owner| share_sort(*owner)).collect();
        let found = self.store.get_many_as::<Share>(&partition(Scope::All), &sorts).await?;
        Ok(found.into_iter().map(|share| share.map_or_else(Default::default, |share| share.value)).collect())
    }

    /// Owners of whom something is known, after one, at most `limit`.
    pub async fn owners(&self, after: Option<UserId>, limit: usize) -> Result<Vec<UserId>, StoreError> {
        let range = Sort::of("o").children();
        let range = after.map_or(range.clone(), |after| range.after(&share_sort(after)));
        let page = self.store.scan_keys(&partition(Scope::All), &range, limit).await?;
        page.items.iter().map(owner_in).collect()
    }

    /// Writes, unless the summary was written since it was read: then `None`.
    pub async fn commit(&self, scope: Scope, write: Write<'_>) -> Result<Option<Version>, StoreError> {
        let sort = summary_sort();
        let mut commit = match write.read {
            Some(version) => SealedCommit::new().at_version(&sort, version),
            None => SealedCommit::new().absent(&sort),
        };
        commit = commit.put_as(&sort, write.summary, None);
        for (id, page) in &write.pages {
            commit = match page {
                Some(page) => commit.put_as(&page_sort(*id), page, None),
                None => commit.delete(&page_sort(*id)),
            };
        }
        for (owner, share) in &write.shares {
            commit = commit.put_as(&share_sort(*owner), share, None);
        }
        Ok(match self.store.commit(&partition(scope), commit).await? {
            Outcome::Committed(committed) => Some(committed.version),
            Outcome::Refused { .. } => None,
        })
    }
}

/// Reads a page.
pub fn page(opened: &Opened) -> Result<Page<'_>, StoreError> {
    // The message of a decoding error can quote what it read.
    rmp_serde::from_slice(opened.bytes()?).map_err(|_| corrupt("a page of keys does not parse"))
}

fn owner_in(sort: &Sort) -> Result<UserId, StoreError> {
    let part = sort.parts().and_then(|parts| parts.into_iter().nth(1));
    let id = part.and_then(|part| <[u8; 16]>::try_from(part).ok());
    id.map(UserId::from_bytes).ok_or_else(|| corrupt("a share names no owner"))
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt { what: what.to_owned() }
}
