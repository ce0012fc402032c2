//! Sweeping sealed records, and sealing them anew under the active key version.

use coffer_core::SecretBytes;
use coffer_crypto::keyring::{KeyId, sealed_under};

use super::super::{Commit, Partition, Record, StoreError, SweepCursor, Table, Value};
use super::place::address;
use super::{Opened, OpenedValue, Sealed};

/// One page of a sweep; see [`SweepPage`](super::super::SweepPage).
#[derive(Debug)]
pub struct SealedSweepPage {
    /// The records as found, still sealed.
    pub items: Vec<Swept>,
    /// Where to go on, unless the sweep is over.
    pub next: Option<SweepCursor>,
}

/// One record that a sweep found, still sealed.
#[derive(Debug)]
pub struct Swept {
    /// The partition it stands in.
    pub partition: Partition,
    /// The record as it is stored.
    pub record: Record,
}

impl Swept {
    /// The key version that the value is sealed under; nothing if it is a counter, or no sealed value.
    pub fn key_id(&self) -> Option<KeyId> {
        match &self.record.value {
            Value::Bytes(sealed) => sealed_under(sealed),
            Value::Counter(_) => None,
        }
    }
}

impl Sealed {
    /// As [`Records::sweep`](super::super::Records::sweep). Nothing is opened: a job that looks for old key
    /// versions needs no plaintext.
    pub async fn sweep(
        &self,
        table: Table,
        from: Option<&SweepCursor>,
        limit: usize,
    ) -> Result<SealedSweepPage, StoreError> {
        let page = self.records.sweep(table, from, limit).await?;
        let items = page.items.into_iter().map(|(partition, record)| Swept { partition, record });
        Ok(SealedSweepPage { items: items.collect(), next: page.next })
    }

    /// Opens a record that a sweep found.
    pub fn open_swept(&self, swept: Swept) -> Result<Opened, StoreError> {
        self.open(&swept.partition, swept.record)
    }

    /// Seals a record anew under the active key version, unless it changed since the sweep: then whoever
    /// changed it sealed it, and the answer is false. The record's version changes; an entry of a log keeps its
    /// place, which is in its key.
    pub async fn reseal(&self, swept: Swept) -> Result<bool, StoreError> {
        let partition = swept.partition.clone();
        let Opened { sort, value, version, expires_at } = self.open_swept(swept)?;
        let OpenedValue::Bytes(plain) = value else { return Ok(false) };
        let sealed = self.seal(&address(&partition, &sort), &plain);
        drop::<SecretBytes>(plain);
        let commit = Commit::new().at_version(&sort, version).put(&sort, sealed, expires_at);
        Ok(self.records.commit(&partition, commit).await?.is_committed())
    }
}
