//! Collects blobs that were never published: uploads that were interrupted.
//!
//! Several processes may collect at the same time: every step can be done twice.

use std::time::Duration;

use coffer_core::BlobId;
use coffer_store::records::StoreError;

use super::files::Files;
use crate::repo::{SHARDS, Staged};

/// A staged blob of this age belongs to no upload any more: each is bounded to a fraction of it.
pub const COLLECT_AFTER: Duration = Duration::from_hours(1);
/// How often the collector looks.
pub const COLLECT_INTERVAL: Duration = Duration::from_mins(10);
/// Blobs looked at in one shard at a time.
const BATCH: usize = 100;

impl Files {
    /// Collects what is abandoned, again and again. Never ends by itself.
    pub async fn collect_forever(self) {
        loop {
            tokio::time::sleep(COLLECT_INTERVAL).await;
            match self.collect().await {
                Ok(0) => {}
                Ok(blobs) => tracing::info!(blobs, "collected blobs of interrupted uploads"),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "collecting blobs failed");
                }
            }
        }
    }

    /// Collects what is abandoned now; says how many blobs that were.
    pub async fn collect(&self) -> Result<usize, StoreError> {
        let before = self.clock.now().minus(COLLECT_AFTER);
        let mut collected = 0;
        for shard in 0..SHARDS {
            loop {
                let found = self.staging.older_than(shard, before, BATCH).await?;
                for (blob, staged) in &found {
                    collected += usize::from(self.collect_one(*blob, staged).await?);
                }
                if found.len() < BATCH {
                    break;
                }
            }
        }
        Ok(collected)
    }

    /// Decides about one blob, once and for all, and then acts. Says whether it was abandoned.
    async fn collect_one(&self, blob: BlobId, staged: &Staged) -> Result<bool, StoreError> {
        // From here on it cannot be published, so what the record says now is final.
        self.repo.drop_blob(staged.space, blob, self.clock.now()).await?;
        let file = self.repo.get(staged.space, &staged.file_name).await?;
        let published = match &file {
            Some(file) => file.record()?.blob().is_some_and(|named| named.id == blob),
            None => false,
        };
        if !published {
            self.blobs.delete(blob).await?;
        }
        self.staging.remove(blob).await?;
        Ok(!published)
    }
}
