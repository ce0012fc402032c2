//! What operations cost in round trips: the aims for speed stand on these.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use coffer_core::ManualClock;
use coffer_store::records::{
    Commit, MemoryRecords, Outcome, Page, Partition, Record, Records, Sort, SortRange, StoreError,
    SweepCursor, SweepPage, Table, Watch,
};

use super::super::{ListRequest, PutRequest};
use super::bed::{Bed, START, ann, anns, blob, key, noise, request};

/// Counts what is asked of it.
#[derive(Debug)]
struct Counting {
    records: MemoryRecords,
    reads: AtomicUsize,
    commits: AtomicUsize,
}

impl Counting {
    fn take(&self) -> (usize, usize) {
        (self.reads.swap(0, Ordering::SeqCst), self.commits.swap(0, Ordering::SeqCst))
    }

    fn read(&self) -> &MemoryRecords {
        self.reads.fetch_add(1, Ordering::SeqCst);
        &self.records
    }
}

#[async_trait]
impl Records for Counting {
    async fn get(&self, partition: &Partition, sort: &Sort) -> Result<Option<Record>, StoreError> {
        self.read().get(partition, sort).await
    }

    async fn get_many(&self, at: &Partition, sorts: &[Sort]) -> Result<Vec<Option<Record>>, StoreError> {
        self.read().get_many(at, sorts).await
    }

    async fn scan(
        &self,
        at: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Record>, StoreError> {
        self.read().scan(at, range, limit).await
    }

    async fn scan_keys(
        &self,
        at: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Sort>, StoreError> {
        self.read().scan_keys(at, range, limit).await
    }

    async fn commit(&self, partition: &Partition, commit: Commit) -> Result<Outcome, StoreError> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        self.records.commit(partition, commit).await
    }

    async fn sweep(
        &self,
        table: Table,
        from: Option<&SweepCursor>,
        limit: usize,
    ) -> Result<SweepPage, StoreError> {
        self.read().sweep(table, from, limit).await
    }

    async fn watch(&self, partition: &Partition) -> Result<Box<dyn Watch>, StoreError> {
        self.records.watch(partition).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.records.ping().await
    }
}

#[tokio::test]
async fn the_ways_that_are_gone_most_cost_one_round_trip() {
    let clock = Arc::new(ManualClock::at(START));
    let records = Arc::new(Counting {
        records: MemoryRecords::new(clock.clone()),
        reads: AtomicUsize::new(0),
        commits: AtomicUsize::new(0),
    });
    let bed = Bed::over(records.clone(), clock, super::super::KvSettings::default(), Box::new(()));
    bed.put("k", "1").await;
    assert_eq!(records.take(), (0, 1), "a new key");
    bed.put("k", "2").await;
    assert_eq!(records.take(), (0, 1), "over a key that this process knows");
    bed.get("k").await.unwrap();
    assert_eq!(records.take(), (1, 0), "a value");
    bed.another().put(&ann(), anns(), &request("k", "3")).await.unwrap();
    assert_eq!(records.take(), (1, 2), "over a key that this process does not know: refused, read, done");
    let large = PutRequest { value: blob(noise(100_000)), ..request("k", "0") };
    bed.kv.put(&ann(), anns(), &large).await.unwrap();
    records.take();
    bed.kv.get(&ann(), anns(), &key("k"), None).await.unwrap();
    assert_eq!(records.take(), (2, 0), "a large value");
    bed.names(&ListRequest { limit: 100, ..ListRequest::default() }).await;
    assert_eq!(records.take(), (2, 0), "a page of keys");
}
