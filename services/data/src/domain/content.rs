//! Large ciphertext: cut into parts, each sealed, and read back part by part.
//!
//! How it is cut does not depend on whether its length was known at the start: one that comes as a stream is held back
//! by a part and a little, and so its last part is the same as if it had come whole.
//!
//! Every blob has a random key of its own, kept in its file's sealed record, so that the blob store holds
//! nothing that opens anything. A part opens only at its place in its blob.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use coffer_core::limits::{BLOB_PART_BYTES, INLINE_BYTES_MAX};
use coffer_core::{BlobId, Random, SecretKey, make_secret_key};
use coffer_crypto::stream::{PART_OVERHEAD_BYTES, Part, StreamKey};
use coffer_store::blobs::Blobs;
use coffer_store::records::StoreError;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, FuturesOrdered, StreamExt as _, TryStreamExt as _};

use crate::repo::BlobRef;

/// Parts that are written at the same time, for one upload.
const WRITE_AHEAD_PARTS: usize = 4;
/// Parts of one upload that comes as a stream that are written at the same time: with the one that arrives and what the
/// HTTP layer holds, they are what it costs in memory.
const STREAM_AHEAD_PARTS: usize = 2;
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

    /// Reads only the parts that `range` of the content needs, and of them only what is in it.
    pub(super) fn read_range(self, blobs: Arc<dyn Blobs>, range: Range<u64>) -> Pieces {
        let blob = Arc::new(self);
        let (first, last) = (blob.part_at(range.start), blob.part_at(range.end.saturating_sub(1)));
        let parts = stream::iter(first..=last).map(move |index| {
            let (blob, blobs, range) = (Arc::clone(&blob), Arc::clone(&blobs), range.clone());
            async move {
                let part = Bytes::from(blob.read_part(&*blobs, index).await?);
                let begin = u64::from(index) * BLOB_PART_BYTES as u64;
                let within = |position: u64| {
                    usize::try_from(position.saturating_sub(begin)).unwrap_or(usize::MAX).min(part.len())
                };
                Ok(part.slice(within(range.start)..within(range.end)))
            }
        });
        parts.buffered(READ_AHEAD_PARTS).boxed()
    }

    fn part_at(&self, position: u64) -> u32 {
        let index = position / BLOB_PART_BYTES as u64;
        u32::try_from(index).unwrap_or(u32::MAX).min(self.parts.saturating_sub(1))
    }
}

/// Pieces of a blob's content, in order.
pub(super) type Pieces = BoxStream<'static, Result<Bytes, StoreError>>;

/// A blob that is written while its content arrives.
pub(super) struct Writing {
    blobs: Arc<dyn Blobs>,
    id: BlobId,
    key: StreamKey,
    /// What has arrived and is in no part yet.
    pending: Vec<u8>,
    next: u32,
    bytes: u64,
    /// In their order, so that no part runs far ahead of one that was not answered.
    under_way: FuturesOrdered<BoxFuture<'static, Result<(), StoreError>>>,
}

impl Writing {
    const PENDING_BYTES_MAX: usize = BLOB_PART_BYTES + INLINE_BYTES_MAX;

    /// Begins a blob, and its key as it will stand in the file's record.
    pub(super) fn begin(id: BlobId, blobs: Arc<dyn Blobs>, random: &dyn Random) -> (Self, SecretKey) {
        let key = make_secret_key(random);
        let under_way = FuturesOrdered::new();
        let of_stream = StreamKey::new(&key);
        (Self { blobs, id, key: of_stream, pending: Vec::new(), next: 0, bytes: 0, under_way }, key)
    }

    /// Takes more of the content; waits while as many parts as may be are being written.
    pub(super) async fn push(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        self.bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            if self.pending.capacity() == 0 {
                self.pending.reserve_exact(Self::PENDING_BYTES_MAX + PART_OVERHEAD_BYTES);
            }
            let room = Self::PENDING_BYTES_MAX - self.pending.len();
            if room == 0 {
                let rest = self.pending[BLOB_PART_BYTES..].to_vec();
                self.pending.truncate(BLOB_PART_BYTES);
                self.put(false).await?;
                self.pending.reserve_exact(Self::PENDING_BYTES_MAX + PART_OVERHEAD_BYTES);
                self.pending.extend_from_slice(&rest);
                continue;
            }
            let (taken, left) = bytes.split_at(room.min(bytes.len()));
            self.pending.extend_from_slice(taken);
            bytes = left;
        }
        Ok(())
    }

    /// Goes on with the parts that are being written; ends never if there is none.
    pub(super) async fn progress(&mut self) -> Result<(), StoreError> {
        match self.under_way.next().await {
            Some(outcome) => outcome,
            None => std::future::pending().await,
        }
    }

    async fn put(&mut self, last: bool) -> Result<(), StoreError> {
        while self.under_way.len() >= STREAM_AHEAD_PARTS {
            self.progress().await?;
        }
        let (index, mut part) = (self.next, std::mem::take(&mut self.pending));
        self.key.seal_part(Part { index: index.into(), last }, self.id.as_bytes(), &mut part);
        self.next = index.checked_add(1).ok_or(StoreError::Limit("a blob has at most 2^32 parts"))?;
        let (blobs, id) = (Arc::clone(&self.blobs), self.id);
        self.under_way.push_back(Box::pin(async move { blobs.put_part(id, index, part.into()).await }));
        Ok(())
    }

    /// Writes the rest; says how many bytes and parts there are.
    pub(super) async fn finish(&mut self) -> Result<(u64, u32), StoreError> {
        self.put(true).await?;
        while let Some(outcome) = self.under_way.next().await {
            outcome?;
        }
        debug_assert_eq!(self.next, parts(self.bytes), "cut as if the length had been known");
        Ok((self.bytes, self.next))
    }

    /// Waits until nothing of it is being written any more, whatever comes of that.
    pub(super) async fn settle(&mut self) {
        while self.under_way.next().await.is_some() {}
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
