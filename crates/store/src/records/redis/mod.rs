//! Records in Redis (or Valkey), for many processes at once.
//!
//! A record is one string key, so reading it is one plain `GET`. A partition's records are listed in a
//! sorted set, its index. A commit is one script over keys of one slot, so it is atomic, and the same code
//! can run on a cluster; commits that wait for the same partition share a call ([`group`]). How addresses become keys is in [`keys`], how a sweep finds every partition in
//! [`directory`].
//!
//! An answered commit is as durable as the server is configured to make it, which is checked at start. When
//! the connection is lost behind a commit that was sent, the answer is
//! [`OutcomeUnknown`](super::StoreError::OutcomeUnknown).

mod call;
mod commit;
mod directory;
mod encoding;
mod group;
mod housekeeping;
mod keys;
mod notify;
mod pace;
mod scan;
mod sweep;
#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
mod watch;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use coffer_core::Clock;
use redis::cmd;

use self::call::Caller;
use self::directory::Directory;
use self::group::Groups;
use self::housekeeping::Housekeeping;
use self::keys::PartitionKeys;
use self::watch::Subscription;
use super::rules::is_live;
use super::{
    Commit, Outcome, Page, PageBudget, Partition, Record, Records, Sort, SortRange, StoreError, SweepCursor,
    SweepPage, Table, Watch, limits,
};
use crate::redis_link::{Links, RedisSettings};

/// Connections that a process shares.
const CONNECTIONS: usize = 2;

/// The Redis back end.
pub struct RedisRecords {
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    groups: Groups,
    subscription: Subscription,
}

struct Shared {
    prefix: String,
    links: Links,
    directory: Arc<Directory>,
    housekeeping: Housekeeping,
}

impl RedisRecords {
    pub(crate) async fn open(settings: RedisSettings, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let links = Links::open(&settings, CONNECTIONS).await?;
        let prefix = settings.prefix;
        let directory = Arc::new(Directory::new(prefix.clone(), links.clone()));
        let housekeeping = Housekeeping::new(prefix.clone(), links.clone(), Arc::clone(&directory));
        let subscription = Subscription::new(prefix.clone(), settings.client);
        let shared = Arc::new(Shared { prefix, links, directory, housekeeping });
        let groups = Groups::new(Caller::new(Arc::clone(&shared), Arc::clone(&clock)));
        Ok(Self { clock, shared, groups, subscription })
    }

    fn keys(&self, partition: &Partition) -> PartitionKeys {
        PartitionKeys::new(&self.shared.prefix, partition)
    }

    /// The record, if it is live.
    fn live(&self, sort: &Sort, stored: Option<Vec<u8>>) -> Result<Option<Record>, StoreError> {
        let record = stored.map(|stored| encoding::decode(sort.clone(), stored)).transpose()?;
        Ok(record.filter(|record| is_live(record.expires_at, self.clock.now())))
    }
}

impl fmt::Debug for RedisRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisRecords({})", self.shared.prefix)
    }
}

#[async_trait]
impl Records for RedisRecords {
    async fn get(&self, partition: &Partition, sort: &Sort) -> Result<Option<Record>, StoreError> {
        limits::address(partition, sort)?;
        let mut get = cmd("GET");
        get.arg(self.keys(partition).record(sort));
        let stored = self.shared.links.query(&get).await;
        self.live(sort, stored.map_err(|err| err.of_read("reading a record"))?)
    }

    async fn get_many(
        &self,
        partition: &Partition,
        sorts: &[Sort],
    ) -> Result<Vec<Option<Record>>, StoreError> {
        limits::addresses(partition, sorts)?;
        if sorts.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.keys(partition);
        let mut get = cmd("MGET");
        for sort in sorts {
            get.arg(keys.record(sort));
        }
        let stored = self.shared.links.query::<Vec<Option<Vec<u8>>>>(&get).await;
        let stored = stored.map_err(|err| err.of_read("reading records"))?;
        sorts.iter().zip(stored).map(|(sort, stored)| self.live(sort, stored)).collect()
    }

    async fn scan(
        &self,
        partition: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Record>, StoreError> {
        limits::scan(partition, range, limit)?;
        let now = self.clock.now();
        let live = |record: &Record| is_live(record.expires_at, now);
        let mut budget = PageBudget::new(limit);
        scan::records(&self.shared, partition, range.clone(), (&mut budget, live)).await
    }

    async fn scan_keys(
        &self,
        partition: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Sort>, StoreError> {
        limits::scan(partition, range, limit)?;
        scan::sorts(&self.shared, partition, range, limit).await
    }

    async fn commit(&self, partition: &Partition, commit: Commit) -> Result<Outcome, StoreError> {
        limits::commit(partition, &commit)?;
        self.groups.commit(partition, commit).await
    }

    async fn sweep(
        &self,
        table: Table,
        from: Option<&SweepCursor>,
        limit: usize,
    ) -> Result<SweepPage, StoreError> {
        limits::page(limit)?;
        sweep::page(&self.shared, table, from, limit).await
    }

    async fn watch(&self, partition: &Partition) -> Result<Box<dyn Watch>, StoreError> {
        limits::watchable(partition.table())?;
        Ok(self.subscription.watch(partition).await)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.shared.links.ping().await.map_err(|err| err.of_read("asking for a sign of life"))
    }
}
