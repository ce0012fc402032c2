//! Collects blobs that nothing names: those that were never published, of uploads that were interrupted, and those of
//! versions that are not kept any longer.
//!
//! Several processes may collect at the same time: every step can be done twice.

use std::time::Duration;

use coffer_core::{BlobId, FileName, UserId};
use coffer_store::records::StoreError;

use super::files::Files;
use crate::repo::SHARDS;

/// An upload of which nothing was heard for this long is none any more.
pub const COLLECT_AFTER: Duration = Duration::from_hours(1);
/// How often the collector looks.
pub const COLLECT_INTERVAL: Duration = Duration::from_mins(10);
/// Notes looked at in one shard at a time.
const BATCH: usize = 100;

impl Files {
    /// Collects what nothing names, again and again. Never ends by itself.
    pub async fn collect_forever(self, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            match self.collect().await {
                Ok(0) => {}
                Ok(blobs) => tracing::info!(blobs, "collected blobs that nothing names"),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "collecting blobs failed");
                }
            }
        }
    }

    /// Collects what nothing names now; says how many blobs that were.
    pub async fn collect(&self) -> Result<usize, StoreError> {
        let mut collected = 0;
        for shard in 0..SHARDS {
            collected += self.collect_staged(shard).await? + self.collect_due(shard).await?;
        }
        Ok(collected)
    }

    async fn collect_staged(&self, shard: u8) -> Result<usize, StoreError> {
        let before = self.clock.now().minus(self.keeping.collect_after);
        let (mut collected, mut after) = (0, None);
        loop {
            let (found, next) = self.staging.older_than(shard, before, (after, BATCH)).await?;
            for (blob, staged) in &found {
                collected += usize::from(self.collect_one(*blob, staged.space, &staged.file_name).await?);
                self.staging.remove(*blob).await?;
            }
            after = next;
            if after.is_none() {
                return Ok(collected);
            }
        }
    }

    async fn collect_due(&self, shard: u8) -> Result<usize, StoreError> {
        let mut collected = 0;
        loop {
            let found = self.due.until(shard, self.clock.now(), BATCH).await?;
            for (key, due) in &found {
                collected += usize::from(self.collect_one(due.blob, due.space, &due.file_name).await?);
                self.due.remove(key, due.blob).await?;
            }
            if found.len() < BATCH {
                return Ok(collected);
            }
        }
    }

    /// Decides about one blob, once and for all, and then acts. Says whether nothing named it.
    async fn collect_one(&self, blob: BlobId, space: UserId, name: &FileName) -> Result<bool, StoreError> {
        if self.is_named(blob, space, name).await? {
            return Ok(false);
        }
        // From here on nothing can come to name it, so what is read after this is final.
        self.repo.drop_blob(space, blob, self.clock.now()).await?;
        if self.is_named(blob, space, name).await? {
            // Just before. It may have to come to be named again, from the trash.
            self.repo.keep_blob(space, blob).await?;
            return Ok(false);
        }
        self.blobs.delete(blob).await?;
        self.repo.forget_blob_names(space, blob).await?;
        Ok(true)
    }

    async fn is_named(&self, blob: BlobId, space: UserId, name: &FileName) -> Result<bool, StoreError> {
        if self.repo.state(space, name).await?.names(blob, self.clock.now())? {
            return Ok(true);
        }
        // A copy may have it still.
        for other in self.repo.blob_names(space, blob).await?.all().iter().filter(|other| *other != name) {
            if self.repo.state(space, other).await?.names(blob, self.clock.now())? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
