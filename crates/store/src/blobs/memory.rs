//! Blobs in memory: for tests, and for `memory:`, which forgets everything when the process ends.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use coffer_core::{BlobId, Timestamp};

use super::{Blobs, check_list, check_part, listing_order, made_at};
use crate::records::StoreError;

type Parts = BTreeMap<u32, Bytes>;

/// The memory back end.
#[derive(Default)]
pub struct MemoryBlobs(Mutex<BTreeMap<(u8, [u8; 16]), Parts>>);

impl MemoryBlobs {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(u8, [u8; 16]), Parts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryBlobs({})", self.lock().len())
    }
}

#[async_trait]
impl Blobs for MemoryBlobs {
    async fn put_part(&self, blob: BlobId, index: u32, part: Bytes) -> Result<(), StoreError> {
        check_part(&part)?;
        self.lock().entry(listing_order(blob)).or_default().insert(index, part);
        Ok(())
    }

    async fn get_part(&self, blob: BlobId, index: u32) -> Result<Option<Bytes>, StoreError> {
        Ok(self.lock().get(&listing_order(blob)).and_then(|parts| parts.get(&index).cloned()))
    }

    async fn delete(&self, blob: BlobId) -> Result<(), StoreError> {
        self.lock().remove(&listing_order(blob));
        Ok(())
    }

    async fn list(
        &self,
        before: Timestamp,
        after: Option<BlobId>,
        limit: usize,
    ) -> Result<Vec<BlobId>, StoreError> {
        check_list(limit)?;
        let after = after.map(listing_order);
        let blobs = self.lock();
        let behind = blobs.keys().filter(|place| after.is_none_or(|after| **place > after));
        let old = behind.map(|(_, id)| BlobId::from_bytes(*id)).filter(|blob| made_at(*blob) < before);
        Ok(old.take(limit).collect())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
