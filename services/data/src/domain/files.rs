//! Files: what is uploaded, downloaded and listed, by whoever may.
//!
//! Small ciphertext lives in its record; larger in a blob that becomes visible with one commit of the
//! record that names it. Until then it is noted as staged, so that the collector finds what an
//! interruption leaves behind.

use std::fmt;
use std::sync::Arc;

use coffer_core::limits::INLINE_BYTES_MAX;
use coffer_core::{BlobId, Clock, FileName, Random, UserId};
use coffer_store::blobs::Blobs;
use coffer_store::records::{Page, Sealed, Sort, StoreError};
use serde_bytes::Bytes;

use super::content::{self, Parts};
use super::native::Keeping;
use crate::repo::{
    BlobRef, Content, Created, DueRepo, FileRecord, FileRepo, Names, Staged, StagingRepo, StoredFile,
};

/// A classic envelope as it came.
pub struct Envelope {
    /// The ciphertext.
    pub data: Vec<u8>,
    /// The content key, encrypted for the file key.
    pub wrapped_key: Vec<u8>,
    /// The initial vector, encrypted for the file key.
    pub wrapped_vector: Vec<u8>,
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({} bytes)", self.data.len())
    }
}

/// What came of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uploaded {
    /// The file is kept.
    Stored,
    /// The space has a file of this name; it was not touched.
    Exists,
}

/// The collector took a blob for abandoned: nothing was heard of its upload for longer than any may be silent.
pub(super) fn given_up() -> StoreError {
    let source = "the upload took too long and was given up".into();
    StoreError::Unavailable { doing: "publishing a blob", source }
}

/// The files of all spaces.
#[derive(Clone, Debug)]
pub struct Files {
    pub(crate) repo: FileRepo,
    pub(super) staging: StagingRepo,
    pub(super) due: DueRepo,
    pub(super) blobs: Arc<dyn Blobs>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) keeping: Keeping,
}

impl Files {
    /// Files whose records lie in `records` and whose large content lies in `blobs`.
    pub fn new(
        records: &Sealed,
        blobs: Arc<dyn Blobs>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let (repo, staging) = (FileRepo::new(records.clone()), StagingRepo::new(records.clone()));
        let (due, keeping) = (DueRepo::new(records.clone()), Keeping::default());
        Self { repo, staging, due, blobs, clock, random, keeping }
    }

    /// Keeps what was replaced or deleted for another time than by default.
    #[must_use]
    pub fn keeping(self, keeping: Keeping) -> Self {
        Self { keeping, ..self }
    }

    /// The file of this name in `space`.
    pub async fn get(&self, space: UserId, name: &FileName) -> Result<Option<StoredFile>, StoreError> {
        self.repo.get(space, name).await
    }

    /// Whether `space` has a file of this name.
    pub async fn exists(&self, space: UserId, name: &FileName) -> Result<bool, StoreError> {
        self.repo.exists(space, name).await
    }

    /// Whether `space` has a file of this name, or had one that can be brought back.
    pub async fn is_kept(&self, space: UserId, name: &FileName) -> Result<bool, StoreError> {
        Ok(self.exists(space, name).await? || self.repo.state(space, name).await?.trashed.is_some())
    }

    /// The parts of a large file's ciphertext.
    pub(crate) fn read(&self, blob: &BlobRef<'_>) -> Result<Parts, StoreError> {
        Ok(content::of(blob)?.read(Arc::clone(&self.blobs)))
    }

    /// Keeps an envelope under a name that `space` does not have yet.
    pub async fn put(
        &self,
        space: UserId,
        name: &FileName,
        envelope: &Envelope,
    ) -> Result<Uploaded, StoreError> {
        if envelope.data.len() > INLINE_BYTES_MAX {
            return self.put_blob(space, name, envelope).await;
        }
        let record = self.record(envelope, Content::Inline(Bytes::new(&envelope.data)));
        match self.repo.create(space, name, &record).await? {
            Created::Yes => Ok(Uploaded::Stored),
            Created::Exists | Created::Dropped => Ok(Uploaded::Exists),
        }
    }

    async fn put_blob(
        &self,
        space: UserId,
        name: &FileName,
        envelope: &Envelope,
    ) -> Result<Uploaded, StoreError> {
        if self.repo.exists(space, name).await? {
            return Ok(Uploaded::Exists);
        }
        let id = BlobId::make(self.clock.now(), &*self.random);
        let (blob, key) = content::make(id, envelope.data.len() as u64, &*self.random);
        self.stage(id, space, name).await?;
        blob.write(&*self.blobs, &envelope.data).await?;
        let named = BlobRef { id, key: Bytes::new(key.expose()), parts: blob.parts };
        let record = self.record(envelope, Content::Blob(named));
        match self.repo.create(space, name, &record).await? {
            Created::Yes => {
                self.unstage(id).await;
                Ok(Uploaded::Stored)
            }
            Created::Exists => {
                self.discard(id).await;
                Ok(Uploaded::Exists)
            }
            Created::Dropped => Err(given_up()),
        }
    }

    fn record<'a>(&self, envelope: &'a Envelope, content: Content<'a>) -> FileRecord<'a> {
        FileRecord {
            created_at: self.clock.now(),
            size_bytes: envelope.data.len() as u64,
            wrapped_key: Bytes::new(&envelope.wrapped_key),
            wrapped_vector: Bytes::new(&envelope.wrapped_vector),
            content,
            native: None,
        }
    }

    /// Notes that a blob is being written, or still is.
    pub(super) async fn stage(&self, blob: BlobId, space: UserId, name: &FileName) -> Result<(), StoreError> {
        let staged = Staged { space, file_name: name.clone(), since: self.clock.now() };
        self.staging.add(blob, &staged).await
    }

    /// Forgets that a published blob was staged. If that fails, the collector does it later.
    pub(super) async fn unstage(&self, blob: BlobId) {
        if let Err(error) = self.staging.remove(blob).await {
            tracing::debug!(error = &error as &dyn std::error::Error, %blob, "left to the collector");
        }
    }

    /// Removes a blob that lost the race for its name. If that fails, the collector does it later.
    pub(super) async fn discard(&self, blob: BlobId) {
        match self.blobs.delete(blob).await {
            Ok(()) => self.unstage(blob).await,
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, %blob, "left to the collector");
            }
        }
    }

    /// The keys of names in `space`; [`crate::repo::name_in`] finds the name in each.
    pub(crate) async fn name_keys(&self, space: UserId, names: &Names<'_>) -> Result<Page<Sort>, StoreError> {
        self.repo.name_keys(space, names).await
    }
}
