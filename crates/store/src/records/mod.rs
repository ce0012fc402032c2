//! The records contract: one narrow interface, written once, implemented per back end.
//!
//! A record is addressed by table, partition and sort key. **Everything in one partition commits
//! together; partitions are independent.** That is all a sharded store can promise cheaply, and it is
//! enough: work across partitions is ordered so that a crash between two commits harms nothing.
//!
//! Not here: queries, secondary indexes, transactions across partitions. A caller that needs an index
//! keeps it as records of its own. The road not taken was a trait per entity (users, sessions, …),
//! which multiplies every back end by every entity and lets their behaviour drift apart.

mod address;
mod commit;
mod cursor;
mod limits;
mod log;
mod memory;
mod open;
mod page;
mod past;
mod redis;
mod rules;
mod sealed;
mod sequence;
mod sqlite;
mod watchers;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use coffer_core::Timestamp;

pub use address::{Partition, Sort, SortBuilder, SortRange, Table};
pub use commit::{Commit, Committed, Guard, Operation, Outcome};
pub use log::LOG_PREFIX_BYTES_MAX;
pub use memory::MemoryRecords;
pub use redis::RedisRecords;
pub use sealed::{
    Logged, Opened, OpenedValue, SEALED_VALUE_BYTES_MAX, Sealed, SealedCommit, SealedSweepPage, Stored,
    Swept, Unopened,
};
pub use sqlite::SqliteRecords;

use self::page::PageBudget;
pub(crate) use open::{file_path, parse};
pub use open::{open, open_synced};
pub use page::{Page, SweepCursor, SweepPage};

/// The version of a record. Versions in one partition only grow and are never used twice, also when
/// a record or the whole partition is deleted and made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

/// What a record holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Bytes, opaque to the back end; at most [`VALUE_BYTES_MAX`].
    Bytes(Bytes),
    /// A number that [`Operation::Add`] changes.
    Counter(i64),
}

/// One record as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where in its partition the record stands.
    pub sort: Sort,
    /// What it holds.
    pub value: Value,
    /// Which version of the record this is.
    pub version: Version,
    /// From this moment on, by the caller's clock, the record counts as absent.
    pub expires_at: Option<Timestamp>,
}

/// The largest value of a record, in bytes. (1 MiB and room for sealing.)
pub const VALUE_BYTES_MAX: usize = 1024 * 1024 + 4096;
/// The longest partition key, in bytes.
pub const PARTITION_BYTES_MAX: usize = 1024;
/// The longest sort key, in bytes.
pub const SORT_BYTES_MAX: usize = 4096;
/// Guards and operations in one commit, at most.
pub const COMMIT_ITEMS_MAX: usize = 512;
/// Records in one page of a scan or sweep, at most.
pub const PAGE_RECORDS_MAX: usize = 10_000;
/// Values in one page of a scan or sweep, in bytes: the page ends with the record that reaches it.
pub const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Records asked for by one `get_many`, at most.
pub const GET_MANY_MAX: usize = 256;
/// A counter stays within plus and minus this, which every back end represents exactly.
pub const COUNTER_MAX: i64 = (1 << 53) - 1;
/// A back end removes an expired record no sooner than this after it expired: the clocks of processes differ.
pub const COLLECT_SLACK: Duration = Duration::from_mins(5);

/// Wakes a reader when a partition may have changed. Best effort: wake-ups may be lost, doubled or
/// spurious, so a reader scans on its own clock too.
#[async_trait]
pub trait Watch: Send {
    /// Waits for the next wake-up.
    async fn changed(&mut self);
}

/// Why a back end could not do what was asked. Conflicts are no errors: see [`Outcome`].
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The back end cannot be reached or is not able to serve now. Nothing was changed.
    #[error("storage is unavailable while {doing}")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// The driver's own words.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The connection was lost or timed out after a commit was sent, or too few replicas confirmed it:
    /// it may or may not have happened.
    #[error("the outcome is unknown of {doing}")]
    OutcomeUnknown {
        /// What was being done.
        doing: &'static str,
        /// The driver's own words.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A stored value does not open, or does not parse: tampering, a wrong key or a bug.
    #[error("stored data is not as it was written: {what}")]
    Corrupt {
        /// What was found, without its content.
        what: String,
    },
    /// A value that was to be stored cannot be written as bytes: a bug in its type.
    #[error("a value cannot be serialized")]
    Unserializable {
        /// The serializer's own words.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The caller broke a limit of this contract.
    #[error("over a storage limit: {0}")]
    Limit(&'static str),
    /// The settings do not describe a usable store.
    #[error("storage settings: {0}")]
    Settings(String),
}

/// A record store. Implementations are shared between threads and judge `expires_at` by the
/// [`Clock`](coffer_core::Clock) they were opened with, in every get, scan and guard.
#[async_trait]
pub trait Records: Send + Sync + fmt::Debug {
    /// The record at `sort`, unless absent or expired.
    async fn get(&self, partition: &Partition, sort: &Sort) -> Result<Option<Record>, StoreError>;

    /// Several records (≤ [`GET_MANY_MAX`]) of one partition in one round trip, in the order asked; absent ones
    /// are `None`.
    async fn get_many(
        &self,
        partition: &Partition,
        sorts: &[Sort],
    ) -> Result<Vec<Option<Record>>, StoreError>;

    /// The live records in a range, in order, at most `limit` (≤ [`PAGE_RECORDS_MAX`]) and about
    /// [`PAGE_BYTES_MAX`] bytes. Not a snapshot: a commit meanwhile may be seen in part.
    async fn scan(
        &self,
        partition: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Record>, StoreError>;

    /// Only the sort keys in a range, in order: much cheaper than [`scan`](Self::scan). May include keys
    /// of records that have expired and are not yet collected.
    async fn scan_keys(
        &self,
        partition: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Sort>, StoreError>;

    /// Checks every guard and, if all hold, applies every operation, atomically and durably as configured.
    async fn commit(&self, partition: &Partition, commit: Commit) -> Result<Outcome, StoreError>;

    /// Every record of a table, in pages.
    async fn sweep(
        &self,
        table: Table,
        from: Option<&SweepCursor>,
        limit: usize,
    ) -> Result<SweepPage, StoreError>;

    /// Watches a partition, of a table made with [`Table::watched`], for changes by anyone.
    async fn watch(&self, partition: &Partition) -> Result<Box<dyn Watch>, StoreError>;

    /// Answers if the back end does.
    async fn ping(&self) -> Result<(), StoreError>;
}
