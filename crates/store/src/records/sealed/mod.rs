//! Records whose values no back end can read: each value is sealed before it is stored, and opened after.
//!
//! The associated data is the record's address, so a value that was moved to another record, partition or
//! table does not open. An entry of a log is bound to its log: whoever holds the storage could move it to
//! another place of the same log, or put it there again, but never change it or bring it elsewhere. Addresses, versions, expiry and counters are not sealed: whoever holds the storage
//! sees them, so what must not be seen there is blinded or hashed by the caller.
//!
//! This is no [`Records`] implementation on purpose: opened values are wiped when dropped, and a caller
//! cannot put a plain value into a sealed store by taking the wrong type.

mod codec;
mod commit;
mod place;
mod sweep;

use std::sync::Arc;

use coffer_core::{Random, SecretBytes, Timestamp};
use coffer_crypto::keyring::Keyring;
use serde::de::DeserializeOwned;

use super::{Outcome, Page, Partition, Record, Records, Sort, SortRange, StoreError, Value, Version, Watch};

use place::{address, address_of};

pub use commit::SealedCommit;
pub use sweep::{SealedSweepPage, Swept};

/// The largest value that a sealed record holds, in bytes.
pub const SEALED_VALUE_BYTES_MAX: usize =
    super::VALUE_BYTES_MAX - coffer_crypto::keyring::SEALED_OVERHEAD_BYTES;

/// A record store that seals what it stores. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sealed {
    records: Arc<dyn Records>,
    keyring: Arc<Keyring>,
    random: Arc<dyn Random>,
}

/// One record, opened.
#[derive(Debug)]
pub struct Opened {
    /// Where in its partition the record stands.
    pub sort: Sort,
    /// What it holds.
    pub value: OpenedValue,
    /// Which version of the record this is.
    pub version: Version,
    /// From this moment on, by the caller's clock, the record counts as absent.
    pub expires_at: Option<Timestamp>,
}

/// What an opened record holds.
#[derive(Debug)]
pub enum OpenedValue {
    /// The bytes that were sealed.
    Bytes(SecretBytes),
    /// A number, which was never sealed.
    Counter(i64),
}

/// One entry of a log, opened and decoded.
#[derive(Debug)]
pub struct Logged<T> {
    /// The version of the commit that appended it: its place in the log.
    pub version: Version,
    /// What was appended.
    pub value: T,
    /// From this moment on, by the caller's clock, the entry counts as absent.
    pub expires_at: Option<Timestamp>,
}

/// One record, opened and decoded.
#[derive(Debug)]
pub struct Stored<T> {
    /// Where in its partition the record stands.
    pub sort: Sort,
    /// What it holds.
    pub value: T,
    /// Which version of the record this is.
    pub version: Version,
    /// From this moment on, by the caller's clock, the record counts as absent.
    pub expires_at: Option<Timestamp>,
}

/// Records that were read and not opened yet.
#[derive(Debug)]
pub struct Unopened {
    sealed: Sealed,
    partition: Partition,
    found: Vec<Option<Record>>,
}

impl Unopened {
    /// Whether every record is there.
    pub fn is_complete(&self) -> bool {
        self.found.iter().all(Option::is_some)
    }

    /// Opens them one after the other, in the order asked.
    pub fn open(self) -> impl Iterator<Item = Result<Option<Opened>, StoreError>> {
        let Self { sealed, partition, found } = self;
        found.into_iter().map(move |record| record.map(|record| sealed.open(&partition, record)).transpose())
    }
}

impl Opened {
    /// The bytes; an error if the record is a counter.
    pub fn bytes(&self) -> Result<&[u8], StoreError> {
        match &self.value {
            OpenedValue::Bytes(bytes) => Ok(bytes.expose()),
            OpenedValue::Counter(_) => {
                Err(StoreError::Corrupt { what: "a counter where a value was expected".to_owned() })
            }
        }
    }

    /// The number; an error if the record holds bytes.
    pub fn counter(&self) -> Result<i64, StoreError> {
        match &self.value {
            OpenedValue::Counter(number) => Ok(*number),
            OpenedValue::Bytes(_) => {
                Err(StoreError::Corrupt { what: "a value where a counter was expected".to_owned() })
            }
        }
    }

    /// The value that [`SealedCommit::put_as`] wrote.
    pub fn decode<T: DeserializeOwned>(self) -> Result<Stored<T>, StoreError> {
        let value = codec::decode(self.bytes()?)?;
        Ok(Stored { sort: self.sort, value, version: self.version, expires_at: self.expires_at })
    }
}

impl Sealed {
    /// Seals what `records` stores under `keyring`.
    pub fn new(records: Arc<dyn Records>, keyring: Arc<Keyring>, random: Arc<dyn Random>) -> Self {
        Self { records, keyring, random }
    }

    /// The store beneath: for counters and for what needs no sealing.
    pub fn records(&self) -> &Arc<dyn Records> {
        &self.records
    }

    /// As [`Records::get`].
    pub async fn get(&self, partition: &Partition, sort: &Sort) -> Result<Option<Opened>, StoreError> {
        let found = self.records.get(partition, sort).await?;
        found.map(|record| self.open(partition, record)).transpose()
    }

    /// As [`get`](Self::get), decoded.
    pub async fn get_as<T: DeserializeOwned>(
        &self,
        partition: &Partition,
        sort: &Sort,
    ) -> Result<Option<Stored<T>>, StoreError> {
        self.get(partition, sort).await?.map(Opened::decode).transpose()
    }

    /// As [`Records::get_many`].
    pub async fn get_many(
        &self,
        partition: &Partition,
        sorts: &[Sort],
    ) -> Result<Vec<Option<Opened>>, StoreError> {
        self.get_unopened(partition, sorts).await?.open().collect()
    }

    /// As [`get_many`](Self::get_many), but leaves the work of opening to the caller, who may do it on another thread.
    pub async fn get_unopened(&self, partition: &Partition, sorts: &[Sort]) -> Result<Unopened, StoreError> {
        let found = self.records.get_many(partition, sorts).await?;
        Ok(Unopened { sealed: self.clone(), partition: partition.clone(), found })
    }

    /// As [`get_many`](Self::get_many), decoded.
    pub async fn get_many_as<T: DeserializeOwned>(
        &self,
        partition: &Partition,
        sorts: &[Sort],
    ) -> Result<Vec<Option<Stored<T>>>, StoreError> {
        let found = self.get_many(partition, sorts).await?;
        found.into_iter().map(|opened| opened.map(Opened::decode).transpose()).collect()
    }

    /// As [`Records::scan`].
    pub async fn scan(
        &self,
        partition: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Opened>, StoreError> {
        let page = self.records.scan(partition, range, limit).await?;
        let items = page.items.into_iter().map(|record| self.open(partition, record));
        Ok(Page { items: items.collect::<Result<_, _>>()?, more: page.more })
    }

    /// As [`scan`](Self::scan), decoded.
    pub async fn scan_as<T: DeserializeOwned>(
        &self,
        partition: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Stored<T>>, StoreError> {
        let page = self.scan(partition, range, limit).await?;
        let items = page.items.into_iter().map(Opened::decode).collect::<Result<_, _>>()?;
        Ok(Page { items, more: page.more })
    }

    /// The live entries of the log `prefix` that were appended after this version (or all of them), decoded, in
    /// the order of the commits; in pages as [`Records::scan`] gives them. An entry that comes later is appended
    /// behind all of these, so going on after the last one misses nothing.
    pub async fn scan_log_as<T: DeserializeOwned>(
        &self,
        partition: &Partition,
        prefix: &Sort,
        after: Option<Version>,
        limit: usize,
    ) -> Result<Page<Logged<T>>, StoreError> {
        let page = self.scan_as(partition, &SortRange::log(prefix, after), limit).await?;
        let logged = |stored: Stored<T>| {
            let version = stored.sort.log_version().ok_or_else(|| StoreError::Corrupt {
                what: format!("a log of table {:?} has an entry without a version", partition.table()),
            })?;
            Ok(Logged { version, value: stored.value, expires_at: stored.expires_at })
        };
        let items = page.items.into_iter().map(logged).collect::<Result<_, StoreError>>()?;
        Ok(Page { items, more: page.more })
    }

    /// As [`Records::scan_keys`].
    pub async fn scan_keys(
        &self,
        partition: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Sort>, StoreError> {
        self.records.scan_keys(partition, range, limit).await
    }

    /// Seals every value of `commit`, then as [`Records::commit`].
    pub async fn commit(&self, partition: &Partition, commit: SealedCommit) -> Result<Outcome, StoreError> {
        let commit = commit.seal(|place, plain| self.seal(&address_of(partition, place), plain))?;
        self.records.commit(partition, commit).await
    }

    /// As [`Records::watch`].
    pub async fn watch(&self, partition: &Partition) -> Result<Box<dyn Watch>, StoreError> {
        self.records.watch(partition).await
    }

    /// As [`Records::ping`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.records.ping().await
    }

    fn seal(&self, address: &[u8], plain: &SecretBytes) -> Vec<u8> {
        self.keyring.seal(&*self.random, address, plain.expose())
    }

    fn open(&self, partition: &Partition, record: Record) -> Result<Opened, StoreError> {
        let Record { sort, value, version, expires_at } = record;
        let value = match value {
            Value::Counter(number) => OpenedValue::Counter(number),
            Value::Bytes(sealed) => {
                let opened = self.keyring.open(&address(partition, &sort), &sealed).map_err(|err| {
                    StoreError::Corrupt { what: format!("a record of table {:?}: {err}", partition.table()) }
                })?;
                OpenedValue::Bytes(opened)
            }
        };
        Ok(Opened { sort, value, version, expires_at })
    }
}
