//! Records in one SQLite file, for one process.
//!
//! A commit that was answered is on disk (`synchronous=FULL`). One sync takes about as long for a hundred
//! commits as for one, so a single [`writer`] thread puts all commits that wait into one transaction and
//! answers them together. Reads go to a few [`readers`] with connections of their own, which the write-ahead
//! log keeps from ever waiting for the writer. Neither blocks the caller's executor.
//!
//! Two processes on one file would be correct but slow, and each would be blind to the other's
//! [`watch`](super::Records::watch); a lock file refuses the second one.

mod connection;
mod group;
mod lock;
mod readers;
mod rows;
mod schema;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use coffer_core::Clock;

use self::readers::Readers;
use self::writer::Writer;
use super::cursor;
use super::watchers::Watchers;
use super::{
    Commit, Outcome, Page, Partition, Record, Records, Sort, SortRange, StoreError, SweepCursor, SweepPage,
    Table, Watch, limits,
};

/// The SQLite back end.
pub struct SqliteRecords {
    clock: Arc<dyn Clock>,
    watchers: Arc<Watchers<Partition>>,
    // Dropped in this order: the writer ends last and takes the lock file with it.
    readers: Readers,
    writer: Writer,
}

impl SqliteRecords {
    /// Opens the database at `path`, and makes it (mode 0600) if there is none. The folder must exist.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let lock = lock::take(path)?;
        let connection = connection::open_for_writing(path)?;
        let watchers = Arc::new(Watchers::default());
        let writer = Writer::start(connection, lock, Arc::clone(&clock), Arc::clone(&watchers))?;
        let readers = Readers::start(path)?;
        Ok(Self { clock, watchers, readers, writer })
    }
}

impl fmt::Debug for SqliteRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteRecords")
    }
}

#[async_trait]
impl Records for SqliteRecords {
    async fn get(&self, partition: &Partition, sort: &Sort) -> Result<Option<Record>, StoreError> {
        limits::address(partition, sort)?;
        let (partition, sort, now) = (partition.clone(), sort.clone(), self.clock.now());
        self.readers.run("reading a record", move |db| rows::get(db, &partition, &sort, now)).await
    }

    async fn get_many(
        &self,
        partition: &Partition,
        sorts: &[Sort],
    ) -> Result<Vec<Option<Record>>, StoreError> {
        limits::addresses(partition, sorts)?;
        let (partition, sorts, now) = (partition.clone(), sorts.to_vec(), self.clock.now());
        let get_each = move |db: &_| sorts.iter().map(|sort| rows::get(db, &partition, sort, now)).collect();
        self.readers.run("reading records", get_each).await
    }

    async fn scan(
        &self,
        partition: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Record>, StoreError> {
        limits::scan(partition, range, limit)?;
        let (partition, range, now) = (partition.clone(), range.clone(), self.clock.now());
        self.readers.run("scanning records", move |db| rows::scan(db, &partition, &range, (limit, now))).await
    }

    async fn scan_keys(
        &self,
        partition: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Sort>, StoreError> {
        limits::scan(partition, range, limit)?;
        let (partition, range) = (partition.clone(), range.clone());
        self.readers.run("scanning keys", move |db| rows::scan_keys(db, &partition, &range, limit)).await
    }

    async fn commit(&self, partition: &Partition, commit: Commit) -> Result<Outcome, StoreError> {
        limits::commit(partition, &commit)?;
        self.writer.commit(partition.clone(), commit).await
    }

    async fn sweep(
        &self,
        table: Table,
        from: Option<&SweepCursor>,
        limit: usize,
    ) -> Result<SweepPage, StoreError> {
        limits::page(limit)?;
        let from = from.map(cursor::decode).transpose()?;
        self.readers.run("sweeping a table", move |db| rows::sweep(db, table, from.as_ref(), limit)).await
    }

    async fn watch(&self, partition: &Partition) -> Result<Box<dyn Watch>, StoreError> {
        limits::watchable(partition.table())?;
        Ok(self.watchers.watch(partition.clone()))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.readers.run("asking for a sign of life", rows::ping).await
    }
}
