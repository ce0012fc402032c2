//! A store for tests in which others always get a turn between two calls.

use std::sync::Arc;

use async_trait::async_trait;
use coffer_core::{Clock as _, ManualClock, SystemRandom, Timestamp};
use coffer_crypto::keyring::Keyring;
use coffer_store::records::{
    Commit, MemoryRecords, Outcome, Page, Partition, Record, Records, Sealed, Sort, SortRange, StoreError,
    SweepCursor, SweepPage, Table, Watch,
};
use tokio::task::yield_now;

/// Records in memory. Every call first lets other tasks run, so calls that race do interleave.
#[derive(Debug)]
pub(crate) struct YieldingRecords(MemoryRecords);

#[async_trait]
impl Records for YieldingRecords {
    async fn get(&self, partition: &Partition, sort: &Sort) -> Result<Option<Record>, StoreError> {
        yield_now().await;
        self.0.get(partition, sort).await
    }

    async fn get_many(&self, at: &Partition, sorts: &[Sort]) -> Result<Vec<Option<Record>>, StoreError> {
        yield_now().await;
        self.0.get_many(at, sorts).await
    }

    async fn scan(
        &self,
        at: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Record>, StoreError> {
        yield_now().await;
        self.0.scan(at, range, limit).await
    }

    async fn scan_keys(
        &self,
        at: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Sort>, StoreError> {
        yield_now().await;
        self.0.scan_keys(at, range, limit).await
    }

    async fn commit(&self, partition: &Partition, commit: Commit) -> Result<Outcome, StoreError> {
        yield_now().await;
        self.0.commit(partition, commit).await
    }

    async fn sweep(
        &self,
        table: Table,
        from: Option<&SweepCursor>,
        limit: usize,
    ) -> Result<SweepPage, StoreError> {
        self.0.sweep(table, from, limit).await
    }

    async fn watch(&self, partition: &Partition) -> Result<Box<dyn Watch>, StoreError> {
        self.0.watch(partition).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }
}

/// A store, its clock and its keyring, for any number of processes.
#[derive(Clone, Debug)]
pub(crate) struct TestStore {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) random: Arc<SystemRandom>,
    pub(crate) records: Arc<YieldingRecords>,
    pub(crate) sealed: Sealed,
}

impl TestStore {
    pub(crate) fn new() -> Self {
        let start = Timestamp::from_ms(1_800_000_000_000);
        let clock = Arc::new(ManualClock::at(start));
        let random = Arc::new(SystemRandom);
        let records = Arc::new(YieldingRecords(MemoryRecords::new(clock.clone())));
        let keyring = Arc::new(Keyring::create(start, &*random));
        let sealed = Sealed::new(records.clone(), keyring, random.clone());
        Self { clock, random, records, sealed }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Every record of `table`, as whoever holds the storage sees it.
    pub(crate) async fn dump(&self, table: Table) -> String {
        let page = self.records.sweep(table, None, 10_000).await.expect("memory does not fail");
        let mut items: Vec<_> = page.items.iter().map(|item| format!("{item:?}")).collect();
        items.sort_unstable();
        items.join("\n")
    }
}
