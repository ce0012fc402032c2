//! The blobs contract: large ciphertext, in parts, never whole in memory.
//!
//! A blob is a numbered row of parts that are written once and then only read. Writing makes nothing
//! visible: a blob counts when a record names it, and that record is committed after every part was
//! answered. So there is no transaction here, no size and no list of names. What was written and never
//! named is found by [`Blobs::list`] and deleted.
//!
//! Parts are sealed by the caller; a back end sees ids, numbers and sizes.

mod file;
mod memory;
mod redis;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use coffer_core::limits::{BLOB_PART_BYTES, INLINE_BYTES_MAX};
use coffer_core::{BlobId, Timestamp};

use crate::records::{StoreError, file_path, parse};
use crate::redis_link::RedisSettings;

pub use file::FileBlobs;
pub use memory::MemoryBlobs;
pub use redis::RedisBlobs;

/// The largest part, in bytes: a full one, a remainder that was not worth a part of its own, and sealing.
pub const PART_BYTES_MAX: usize = BLOB_PART_BYTES + INLINE_BYTES_MAX + 4096;
/// Parts are put in any order, but none this far ahead of one that was not yet answered.
pub const PARTS_AHEAD_MAX: u32 = 64;
/// Blobs in one page of a list, at most.
pub const LIST_BLOBS_MAX: usize = 1000;

/// A blob store.
#[async_trait]
pub trait Blobs: Send + Sync + fmt::Debug {
    /// Writes a part, of at most [`PART_BYTES_MAX`]; once answered it is as durable as configured. Putting the
    /// same part again replaces it.
    async fn put_part(&self, blob: BlobId, index: u32, part: Bytes) -> Result<(), StoreError>;

    /// Reads a part, if there is one.
    async fn get_part(&self, blob: BlobId, index: u32) -> Result<Option<Bytes>, StoreError>;

    /// Removes every part of a blob, if there are any.
    async fn delete(&self, blob: BlobId) -> Result<(), StoreError>;

    /// Blobs whose id was made before `before`, at most `limit` (≤ [`LIST_BLOBS_MAX`]), in the order of
    /// [`listing_order`], behind `after`. Fewer than `limit` are the last ones.
    async fn list(
        &self,
        before: Timestamp,
        after: Option<BlobId>,
        limit: usize,
    ) -> Result<Vec<BlobId>, StoreError>;

    /// Answers if the back end does.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// Opens the blob store that `url` names: `file:///folder`, `redis://`, `rediss://` or `memory:`.
///
/// For the options of Redis URLs see [`records::open`](crate::records::open). What is wrong with the settings is
/// said without repeating the URL, which may hold a password.
pub async fn open(url: &str) -> Result<Arc<dyn Blobs>, StoreError> {
    let url = parse(url)?;
    match url.scheme() {
        "memory" => Ok(Arc::new(MemoryBlobs::default())),
        "file" => Ok(Arc::new(FileBlobs::open(&file_path(&url)?)?)),
        "redis" | "rediss" => Ok(Arc::new(RedisBlobs::open(RedisSettings::parse(url)?).await?)),
        other => Err(StoreError::Settings(format!(
            "blobs cannot be kept in `{other}:`; use file:///folder, redis:// or rediss://"
        ))),
    }
}

/// What blobs are listed by: the shard, which is the last byte of an id (a random one), then the id.
pub fn listing_order(blob: BlobId) -> (u8, [u8; 16]) {
    let id = *blob.as_bytes();
    (id[15], id)
}

/// When an id was made (RFC 9562, version 7: milliseconds in its first six bytes).
fn made_at(blob: BlobId) -> Timestamp {
    let ms = blob.as_bytes()[..6].iter().fold(0_i64, |ms, byte| ms << 8 | i64::from(*byte));
    Timestamp::from_ms(ms)
}

fn check_part(part: &Bytes) -> Result<(), StoreError> {
    if part.len() > PART_BYTES_MAX {
        return Err(StoreError::Limit("a part has at most 1 MiB and 68 KiB"));
    }
    Ok(())
}

fn check_list(limit: usize) -> Result<(), StoreError> {
    if (1..=LIST_BLOBS_MAX).contains(&limit) {
        return Ok(());
    }
    Err(StoreError::Limit("a list has 1 to 1000 blobs"))
}
