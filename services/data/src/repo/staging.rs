//! Blobs that are being written: which they are and what they are for.
//!
//! An entry is committed before the first part of a blob is written and removed after the blob's record
//! is published. So whatever is interrupted, nothing lies in the blob store that is neither published nor
//! known here. Entries stand in a few partitions, in the order in which they were made.

use coffer_core::{BlobId, FileName, Timestamp, UserId};
use coffer_store::records::{Partition, Sealed, SealedCommit, Sort, SortRange, StoreError, Table};
use serde::{Deserialize, Serialize};

const STAGING: Table = Table::new("blob_staging");
/// Partitions, so that uploads at the same time do not wait for each other.
pub(crate) const SHARDS: u8 = 16;

/// What a blob is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Staged {
    pub(crate) space: UserId,
    pub(crate) file_name: FileName,
    pub(crate) since: Timestamp,
}

/// The blobs that are being written.
#[derive(Clone, Debug)]
pub(crate) struct StagingRepo {
    records: Sealed,
}

fn shard(blob: BlobId) -> u8 {
    blob.as_bytes()[15] % SHARDS
}

fn partition(shard: u8) -> Partition {
    Partition::new(STAGING, [shard])
}

fn key(blob: BlobId) -> Sort {
    Sort::of(blob.as_bytes()).build()
}

impl StagingRepo {
    pub(crate) fn new(records: Sealed) -> Self {
        Self { records }
    }

    /// Notes a blob that is about to be written.
    pub(crate) async fn add(&self, blob: BlobId, staged: &Staged) -> Result<(), StoreError> {
        let commit = SealedCommit::new().put_as(&key(blob), staged, None);
        self.records.commit(&partition(shard(blob)), commit).await.map(drop)
    }

    /// Forgets a blob that is published, or gone.
    pub(crate) async fn remove(&self, blob: BlobId) -> Result<(), StoreError> {
        let commit = SealedCommit::new().delete(&key(blob));
        self.records.commit(&partition(shard(blob)), commit).await.map(drop)
    }

    /// Blobs of a shard that were noted at `before` or earlier, oldest first, at most `limit`.
    pub(crate) async fn older_than(
        &self,
        shard: u8,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(BlobId, Staged)>, StoreError> {
        let page = self.records.scan_as::<Staged>(&partition(shard), &SortRange::all(), limit).await?;
        let mut found = Vec::new();
        for record in page.items {
            let parts = record.sort.parts().unwrap_or_default();
            let id: Option<[u8; 16]> = parts.into_iter().next().and_then(|part| part.try_into().ok());
            let id = id.ok_or_else(|| StoreError::Corrupt { what: "a staged blob has no id".into() })?;
            if record.value.since > before {
                break;
            }
            found.push((BlobId::from_bytes(id), record.value));
        }
        Ok(found)
    }
}
