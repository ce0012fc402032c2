//! Blobs that nothing will name any more from some moment on: which they are, in the order of those moments.
//!
//! A note is committed before the commit that makes it true. So whatever is interrupted, no blob lies in the blob store
//! that is neither named nor noted. A note may turn out to be wrong, because that commit never happened or another one
//! brought the file back: whoever acts on it looks first. Each has a key of its own, so that taking one away never takes
//! that of somebody else with it.

use coffer_core::{BlobId, FileName, Timestamp, UserId};
use coffer_store::records::{Partition, Sealed, SealedCommit, Sort, SortRange, StoreError, Table};
use serde::{Deserialize, Serialize};

use super::staging::{SHARDS, shard};

const DUE: Table = Table::new("blob_due");

/// A blob and what named it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Due {
    pub(crate) blob: BlobId,
    pub(crate) space: UserId,
    pub(crate) file_name: FileName,
}

/// The blobs that are due.
#[derive(Clone, Debug)]
pub(crate) struct DueRepo {
    records: Sealed,
}

fn partition(shard: u8) -> Partition {
    Partition::new(DUE, [shard])
}

fn moment(at: Timestamp) -> [u8; 8] {
    u64::try_from(at.as_ms()).unwrap_or(0).to_be_bytes()
}

impl DueRepo {
    pub(crate) fn new(records: Sealed) -> Self {
        Self { records }
    }

    /// Notes that a blob is due at that moment. `salt` is of this note alone.
    pub(crate) async fn add(&self, due: &Due, at: Timestamp, salt: [u8; 8]) -> Result<(), StoreError> {
        let key = Sort::of(moment(at)).and(due.blob.as_bytes()).and(salt).build();
        let commit = SealedCommit::new().put_as(&key, due, None);
        self.records.commit(&partition(shard(due.blob)), commit).await.map(drop)
    }

    /// What of a shard was due at `now`, at most `limit`, in order.
    pub(crate) async fn until(
        &self,
        shard: u8,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Sort, Due)>, StoreError> {
        debug_assert!(shard < SHARDS, "there is such a shard");
        let after = Sort::of(moment(now.plus(std::time::Duration::from_millis(1)))).build();
        let range = SortRange { until: Some(after.as_bytes().to_vec().into()), ..SortRange::all() };
        let page = self.records.scan_as::<Due>(&partition(shard), &range, limit).await?;
        Ok(page.items.into_iter().map(|record| (record.sort, record.value)).collect())
    }

    /// Forgets a note.
    pub(crate) async fn remove(&self, key: &Sort, blob: BlobId) -> Result<(), StoreError> {
        let commit = SealedCommit::new().delete(key);
        self.records.commit(&partition(shard(blob)), commit).await.map(drop)
    }
}
