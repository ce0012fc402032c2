//! Large ciphertext: cut into parts, each sealed, and read back part by part.
//!
//! Every blob has a random key of its own, kept in its file's sealed record, so that the blob store holds
//! nothing that opens anything. A part opens only at its place in its blob.

use std::sync::Arc;

use coffer_core::limits::{BLOB_PART_BYTES, INLINE_BYTES_MAX};
use coffer_core::{BlobId, Random, SecretKey, make_secret_key};
use coffer_crypto::stream::{PART_OVERHEAD_BYTES, Part, StreamKey};
use coffer_store::blobs::Blobs;
use coffer_store::records::StoreError;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};

use crate::repo::BlobRef;

/// Parts that are written at the same time, for one upload.
const WRITE_AHEAD_PARTS: usize = 4;
/// Parts that are read at the same time, for one download.
const READ_AHEAD_PARTS: usize = 3;
/// The last part may be this much longer than the others: a file of a round size with the little that its
/// envelope adds should not need one more part for it.
const LAST_PART_EXTRA_BYTES: u64 = INLINE_BYTES_MAX as u64;

/// How `size_bytes` of ciphertext are cut: the number of parts.
fn parts(size_bytes: u64) -> u32 {
    let part = BLOB_PART_BYTES as u64;
    let parts = size_bytes.saturating_sub(LAST_PART_EXTRA_BYTES).div_ceil(part).max(1);
    u32::try_from(parts).unwrap_or(u32::MAX)
}

/// A blob and the key of its parts.
#[derive(Debug)]
pub(super) struct Blob {
    pub(super) id: BlobId,
    pub(super) key: StreamKey,
    pub(super) parts: u32,
}

impl Blob {
    fn part(&self, index: u32) -> Part {
        Part { index: index.into(), last: index + 1 == self.parts }
    }

    fn seal(&self, index: u32, ciphertext: &[u8]) -> Vec<u8> {
        let start = index as usize * BLOB_PART_BYTES;
        let part = self.part(index);
        let end = if part.last { ciphertext.len() } else { start + BLOB_PART_BYTES };
        let mut bytes = Vec::with_capacity(end - start + PART_OVERHEAD_BYTES);
        bytes.extend_from_slice(&ciphertext[start..end]);
        self.key.seal_part(part, self.id.as_bytes(), &mut bytes);
        bytes
    }

    /// Seals and writes all parts of `ciphertext`.
    pub(super) async fn write(&self, blobs: &dyn Blobs, ciphertext: &[u8]) -> Result<(), StoreError> {
        stream::iter((0..self.parts).map(Ok))
            .try_for_each_concurrent(WRITE_AHEAD_PARTS, |index| {
                let sealed = self.seal(index, ciphertext);
                blobs.put_part(self.id, index, sealed.into())
            })
            .await
    }

    async fn read_part(&self, blobs: &dyn Blobs, index: u32) -> Result<Vec<u8>, StoreError> {
        let sealed = blobs.get_part(self.id, index).await?;
        let corrupt = |what: &str| StoreError::Corrupt { what: format!("part {index} of a blob {what}") };
        let mut bytes = Vec::from(sealed.ok_or_else(|| corrupt("is missing"))?);
        self.key
            .open_part(self.part(index), self.id.as_bytes(), &mut bytes)
            .map_err(|_| corrupt("does not open"))?;
        Ok(bytes)
    }

    /// Reads the parts in order, a few ahead of the reader.
    pub(super) fn read(self, blobs: Arc<dyn Blobs>) -> Parts {
        let blob = Arc::new(self);
        let parts = stream::iter(0..blob.parts).map(move |index| {
            let (blob, blobs) = (Arc::clone(&blob), Arc::clone(&blobs));
            async move { blob.read_part(&*blobs, index).await }
        });
        parts.buffered(READ_AHEAD_PARTS).boxed()
    }
}

/// The opened parts of a blob, in order.
pub type Parts = BoxStream<'static, Result<Vec<u8>, StoreError>>;

/// A new blob for `size_bytes` of ciphertext, and its key as it stands in the file's record.
pub(super) fn make(id: BlobId, size_bytes: u64, random: &dyn Random) -> (Blob, SecretKey) {
    let key = make_secret_key(random);
    (Blob { id, key: StreamKey::new(&key), parts: parts(size_bytes) }, key)
}

/// The blob that a record names.
pub(super) fn of(blob: &BlobRef<'_>) -> Result<Blob, StoreError> {
    let bytes: &[u8; 32] = (&**blob.key)
        .try_into()
        .map_err(|_| StoreError::Corrupt { what: "the key of a blob has another length".to_owned() })?;
    let key = SecretKey::init_with(|key| key.copy_from_slice(bytes));
    Ok(Blob { id: blob.id, key: StreamKey::new(&key), parts: blob.parts })
}
