//! What a test of the contract runs on.

use std::any::Any;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use coffer_core::{Clock, ManualClock, Timestamp};
use coffer_store::records::{
    Commit, Committed, Guard, MemoryRecords, Outcome, Partition, Record, Records, Sort, SqliteRecords, Table,
    Value, open,
};
use coffer_store::testing::{Observed, RedisServer};

use crate::sealed::Unsealed;

pub(crate) const TABLE: Table = Table::new("test");
pub(crate) const OTHER_TABLE: Table = Table::new("test_other");
pub(crate) const WATCHED: Table = Table::watched("test_watched");

/// A store of the test's own, its clock, and what must outlive both.
pub(crate) struct Bed {
    pub(crate) records: Arc<dyn Records>,
    pub(crate) clock: Arc<ManualClock>,
    _keep: Box<dyn Any + Send + Sync>,
}

impl Bed {
    fn new<K: Any + Send + Sync>(open: impl FnOnce(Arc<dyn Clock>) -> (Arc<dyn Records>, K)) -> Self {
        let clock = manual_clock();
        let (records, keep) = open(clock.clone());
        Self { records, clock, _keep: Box::new(keep) }
    }

    pub(crate) fn memory() -> Self {
        Self::new(|clock| (Arc::new(MemoryRecords::new(clock)), ()))
    }

    pub(crate) fn observed_memory() -> Self {
        Self::new(|clock| (Arc::new(Observed::new(Arc::new(MemoryRecords::new(clock))).yielding()), ()))
    }

    pub(crate) async fn redis() -> Self {
        let clock = manual_clock();
        let records = open(&redis_url(), clock.clone()).await.unwrap();
        Self { records, clock, _keep: Box::new(()) }
    }

    pub(crate) fn sealed_memory() -> Self {
        Self::new(|clock| (Arc::new(Unsealed::over(Arc::new(MemoryRecords::new(clock)))), ()))
    }

    pub(crate) fn sqlite() -> Self {
        Self::new(|clock| {
            let dir = tempfile::tempdir().unwrap();
            let records = SqliteRecords::open(&dir.path().join("records.db"), clock).unwrap();
            (Arc::new(records), dir)
        })
    }

    pub(crate) fn after(&self, duration: Duration) -> Timestamp {
        self.clock.now().plus(duration)
    }

    pub(crate) async fn get(&self, partition: &Partition, sort: &Sort) -> Option<Record> {
        self.records.get(partition, sort).await.unwrap()
    }

    /// Commits, and expects every guard to hold.
    pub(crate) async fn commit(&self, partition: &Partition, commit: Commit) -> Committed {
        match self.records.commit(partition, commit).await.unwrap() {
            Outcome::Committed(committed) => committed,
            Outcome::Refused { guard } => panic!("guard {guard} did not hold"),
        }
    }

    /// Whether this guard alone would let a commit happen.
    pub(crate) async fn holds(&self, partition: &Partition, guard: Guard) -> bool {
        self.records.commit(partition, Commit::new().guard(guard)).await.unwrap().is_committed()
    }
}

fn manual_clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_ms(1_700_000_000_000)))
}

/// A place of its own on a server that all tests share.
pub(crate) fn redis_url() -> String {
    static SERVER: LazyLock<RedisServer> = LazyLock::new(|| {
        // None of these tests kills it, so it need not sync before each answer.
        RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "everysec"])
    });
    static PLACES: AtomicU32 = AtomicU32::new(0);
    format!("{}?prefix=test-{}", SERVER.url(), PLACES.fetch_add(1, Ordering::Relaxed))
}

/// A partition of the test table.
pub(crate) fn part(key: impl AsRef<[u8]>) -> Partition {
    Partition::new(TABLE, key)
}

/// A sort key of one part.
pub(crate) fn key(text: impl AsRef<[u8]>) -> Sort {
    Sort::of(text).build()
}

/// A sort key of exactly these bytes.
pub(crate) fn raw(bytes: impl AsRef<[u8]>) -> Sort {
    Sort::from_bytes(Bytes::copy_from_slice(bytes.as_ref()))
}

/// The bytes of a record that holds some.
pub(crate) fn bytes_of(record: &Record) -> &[u8] {
    match &record.value {
        Value::Bytes(bytes) => bytes,
        Value::Counter(number) => panic!("a counter ({number}), not bytes"),
    }
}
