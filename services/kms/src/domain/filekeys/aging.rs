//! Rotation by age: keys that have been in use for longer than the operator wants get another version.
//!
//! Every hour one look goes over all files, slowly. Nothing remembers how far it came: a key that has been rotated is young,
//! so beginning anew costs reads only, and several processes that look at the same time rotate each key once. The road
//! not taken: an index by age, which every file key would have to be entered into whether anybody wants this or not.

use std::sync::Arc;
use std::time::Duration;

use coffer_core::UserId;
use coffer_store::records::Swept;

use super::{FileKeyError, FileKeys};
use crate::repo::files::{FileRepo, Space};

/// How often it is looked.
const LOOK: Duration = Duration::from_hours(1);
/// Records in one page.
const PAGE: usize = 200;
/// Time between two pages, so that requests go first.
const PACE: Duration = Duration::from_millis(50);

impl FileKeys {
    /// Rotates keys that grow older than `age`, until it is dropped.
    pub async fn keep_rotating(self: Arc<Self>, age: Duration) {
        loop {
            match self.rotate_old(age, PACE).await {
                Ok(0) => {}
                Ok(keys) => tracing::info!(keys, "file keys were rotated by age"),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "rotating file keys by age");
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Rotates every key that is older than `age` now and whose file was uploaded; says how many.
    pub async fn rotate_old(&self, age: Duration, pause: Duration) -> Result<usize, FileKeyError> {
        let (mut rotated, mut cursor) = (0, None);
        loop {
            let page = self.files.sweep(cursor.as_ref(), PAGE).await?;
            for swept in page.items {
                rotated += usize::from(self.rotate_if_old(swept, age).await?);
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(rotated);
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn rotate_if_old(&self, swept: Swept, age: Duration) -> Result<bool, FileKeyError> {
        let Some(name) = FileRepo::name_at(&swept.record.sort) else { return Ok(false) };
        let Ok(space) = <[u8; 16]>::try_from(swept.partition.key()) else { return Ok(false) };
        let space = Space(UserId::from_bytes(space));
        let Some(file) = self.files.file(space, &name).await? else { return Ok(false) };
        let old = &file.value;
        let is_old = self.now().since(old.since()) >= age && old.moving_from.is_none();
        if !is_old || (!old.uploaded && old.covers == coffer_api::file_keys::Covers::File) {
            return Ok(false);
        }
        match self.rotate_by_age((space, &name), &file).await {
            // Nobody destroys its old versions; that is for its owner to decide.
            Err(FileKeyError::Limit { .. }) => Ok(false),
            outcome => outcome,
        }
    }
}
