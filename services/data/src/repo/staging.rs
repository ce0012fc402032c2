//! Blobs that are being written: which they are and what they are for.
//!
//! An entry is committed before the first part of a blob is written and removed after the blob's record
//! is published. So whatever is interrupted, nothing lies in the blob store that is neither published nor
//! known here. Entries stand in a few partitions, in the order in which their blobs were made. An upload that takes long
//! writes its entry anew now and then: a sign of life.

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
    /// The last sign of life.
    pub(crate) since: Timestamp,
}

/// The blobs that are being written.
#[derive(Clone, Debug)]
pub(crate) struct StagingRepo {
    records: Sealed,
}

pub(super) fn shard(blob: BlobId) -> u8 {
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

    /// Notes a blob that is about to be written, or is being written still.
    pub(crate) async fn add(&self, blob: BlobId, staged: &Staged) -> Result<(), StoreError> {
        let commit = SealedCommit::new().put_as(&key(blob), staged, None);
        self.records.commit(&partition(shard(blob)), commit).await.map(drop)
    }

    /// Forgets a blob that is published, or gone.
    pub(crate) async fn remove(&self, blob: BlobId) -> Result<(), StoreError> {
        let commit = SealedCommit::new().delete(&key(blob));
        self.records.commit(&partition(shard(blob)), commit).await.map(drop)
    }

    /// Blobs of a shard whose last sign of life was at `before` or earlier, the oldest blobs first; at most `limit`
    /// entries behind `after` are looked at. Tells where to go on, unless there is nothing more to look at.
    pub(crate) async fn older_than(
        &self,
        shard: u8,
        before: Timestamp,
        (after, limit): (Option<BlobId>, usize),
    ) -> Result<(Vec<(BlobId, Staged)>, Option<BlobId>), StoreError> {
        let range = match after {
            Some(after) => SortRange::all().after(&key(after)),
            None => SortRange::all(),
        };
        let page = self.records.scan_as::<Staged>(&partition(shard), &range, limit).await?;
        let (mut found, mut last) = (Vec::new(), None);
        for record in page.items {
            let parts = record.sort.parts().unwrap_or_default();
            let id: Option<[u8; 16]> = parts.into_iter().next().and_then(|part| part.try_into().ok());
            let id = id.ok_or_else(|| StoreError::Corrupt { what: "a staged blob has no id".into() })?;
            last = Some(BlobId::from_bytes(id));
            if record.value.since <= before {
                found.push((BlobId::from_bytes(id), record.value));
            }
        }
        Ok((found, last.filter(|_| page.more)))
    }
}
