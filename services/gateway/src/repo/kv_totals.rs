//! The keys of the key-value store, as far as their totals need to know them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use coffer_core::{Clock, UserId};
use coffer_store::records::{GET_MANY_MAX, Logged, PAGE_RECORDS_MAX, Page, StoreError, Version};

use super::kv::keys::{currents, key_in};
use super::kv::{ChangeRecord, Delta, KvRepo, Op};
use crate::domain::usage::totals::{Change, Changes, Counted, Fate, Keys, Sizes};

/// The keys in a [`KvRepo`].
#[derive(Debug)]
pub struct KvKeys {
    repo: KvRepo,
    clock: Arc<dyn Clock>,
    log_retention: Duration,
}

impl KvKeys {
    /// The keys in `repo`, whose changes stay in the log for `log_retention`.
    pub fn new(repo: KvRepo, clock: Arc<dyn Clock>, log_retention: Duration) -> Self {
        Self { repo, clock, log_retention }
    }
}

impl From<Delta> for Sizes {
    fn from(delta: Delta) -> Self {
        let Delta { keys, plain_bytes, stored_bytes, encrypted, compressed } = delta;
        Self { keys, plain_bytes, stored_bytes, encrypted, compressed }
    }
}

fn fate(op: Op) -> Fate {
    match op {
        Op::Put | Op::Restore => Fate::Stored,
        Op::Delete => Fate::Deleted,
        Op::Expire => Fate::Expired,
        // Neither says anything of a key that there is.
        Op::Settle | Op::Purge => Fate::Settled,
    }
}

fn changes(logged: Logged<ChangeRecord>) -> Changes {
    let change = |change: super::kv::Change| Change {
        fate: fate(change.op),
        delta: change.delta.into(),
        key: change.key,
    };
    let changes = logged.value.changes.into_iter().map(change).collect();
    Changes { revision: logged.version.0, changes }
}

#[async_trait]
impl Keys for KvKeys {
    fn log_retention(&self) -> Duration {
        self.log_retention
    }

    async fn changes(&self, owner: UserId, after: u64, limit: usize) -> Result<Page<Changes>, StoreError> {
        let page = self.repo.changes(owner, Some(Version(after)), limit).await?;
        Ok(Page { items: page.items.into_iter().map(changes).collect(), more: page.more })
    }

    async fn keys(
        &self,
        owner: UserId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Counted>, StoreError> {
        let mut range = currents("", after);
        loop {
            let sorts = self.repo.scan_keys(owner, &range, limit.min(GET_MANY_MAX)).await?;
            let found = self.repo.get_many(owner, &sorts.items).await?;
            let mut items = Vec::with_capacity(found.len());
            for (sort, entry) in sorts.items.iter().zip(found) {
                // Not collected yet, or gone since.
                let Some(entry) = entry else { continue };
                let key = key_in(sort).ok_or_else(|| corrupt("an entry of no key"))?.into_owned();
                let sizes = entry.entry()?.head.delta().into();
                items.push(Counted { key, revision: entry.version().0, sizes });
            }
            match sorts.items.last() {
                Some(last) if items.is_empty() && sorts.more => range = range.after(last),
                _ => return Ok(Page { items, more: sorts.more }),
            }
        }
    }

    async fn expired(&self, owner: UserId) -> Result<Sizes, StoreError> {
        let due = self.repo.due(owner, self.clock.now(), PAGE_RECORDS_MAX).await?;
        let expired = due.into_iter().filter_map(|due| due.leftover.expired);
        Ok(expired.fold(Sizes::default(), |sum, (_, delta)| sum + delta.into()))
    }

    async fn present(&self, owner: UserId) -> Result<u64, StoreError> {
        self.repo.present(owner, self.clock.now()).await.map(|version| version.0)
    }
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt { what: what.to_owned() }
}
