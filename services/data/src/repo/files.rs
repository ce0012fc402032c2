//! Files as records.

use std::time::Duration;

use coffer_core::{BlobId, FileName, SecretBytes, Timestamp, UserId};
use coffer_store::records::{Opened, Outcome, Page, Sealed, SealedCommit, Sort, StoreError, Version};

use super::record::{FileRecord, dropped_key, name_in, name_key, name_range, only, partition, trash_range};

/// How long a blob that was given up stays marked: longer than any upload can take.
const DROPPED_TTL: Duration = Duration::from_hours(24);

/// A file as read: its record, opened.
#[derive(Debug)]
pub struct StoredFile(Opened);

impl From<Opened> for StoredFile {
    fn from(record: Opened) -> Self {
        Self(record)
    }
}

impl StoredFile {
    /// Which version of its record this is.
    pub(crate) fn version(&self) -> Version {
        self.0.version
    }

    /// Its name.
    pub(crate) fn name(&self) -> Option<&str> {
        name_in(&self.0.sort)
    }

    /// The record, which borrows from this.
    pub(crate) fn record(&self) -> Result<FileRecord<'_>, StoreError> {
        // The message of a decoding error can quote what it read.
        rmp_serde::from_slice(self.0.bytes()?)
            .map_err(|_| StoreError::Corrupt { what: "a file record does not parse".to_owned() })
    }
}

/// What came of making a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Created {
    /// It is made.
    Yes,
    /// There is one of this name.
    Exists,
    /// Its blob has been given up meanwhile.
    Dropped,
}

/// Which names are listed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    /// Only names that begin with this.
    pub(crate) prefix: &'a str,
    /// Only names after this one.
    pub(crate) after: Option<&'a str>,
    /// At most so many.
    pub(crate) limit: usize,
}

/// The file records of all spaces.
#[derive(Clone, Debug)]
pub(crate) struct FileRepo {
    pub(super) records: Sealed,
}

impl FileRepo {
    pub(crate) fn new(records: Sealed) -> Self {
        Self { records }
    }

    /// The file of this name in `space`.
    pub(crate) async fn get(&self, space: UserId, name: &FileName) -> Result<Option<StoredFile>, StoreError> {
        let record = self.records.get(&partition(space), &name_key(name)).await?;
        Ok(record.map(StoredFile))
    }

    /// Whether there is a file of this name in `space`; reads no value.
    pub(crate) async fn exists(&self, space: UserId, name: &FileName) -> Result<bool, StoreError> {
        let page = self.records.scan_keys(&partition(space), &only(&name_key(name)), 1).await?;
        Ok(!page.items.is_empty())
    }

    /// Makes the file of this name, unless there is one. A blob that `record` names and that has been
    /// given up meanwhile is not published either.
    pub(crate) async fn create(
        &self,
        space: UserId,
        name: &FileName,
        record: &FileRecord<'_>,
    ) -> Result<Created, StoreError> {
        let key = name_key(name);
        let mut commit = SealedCommit::new().absent(&key);
        if let Some(blob) = record.blob() {
            commit = commit.absent(&dropped_key(blob.id));
        }
        let commit = commit.put_as(&key, record, None);
        match self.records.commit(&partition(space), commit).await? {
            Outcome::Committed(_) => Ok(Created::Yes),
            Outcome::Refused { guard: 0 } => Ok(Created::Exists),
            Outcome::Refused { .. } => Ok(Created::Dropped),
        }
    }

    /// Sees to it that `blob` is not published in `space` from now on.
    pub(crate) async fn drop_blob(
        &self,
        space: UserId,
        blob: BlobId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let commit =
            SealedCommit::new().put(&dropped_key(blob), SecretBytes::default(), Some(now.plus(DROPPED_TTL)));
        self.records.commit(&partition(space), commit).await.map(drop)
    }

    /// The keys of names in `space`, in order; reads no value.
    pub(crate) async fn name_keys(&self, space: UserId, names: &Names<'_>) -> Result<Page<Sort>, StoreError> {
        self.records.scan_keys(&partition(space), &name_range(names.prefix, names.after), names.limit).await
    }

    /// The keys of deleted names in `space`, in order; reads no value.
    pub(crate) async fn trash_keys(
        &self,
        space: UserId,
        names: &Names<'_>,
    ) -> Result<Page<Sort>, StoreError> {
        let range = trash_range(names.prefix, names.after);
        self.records.scan_keys(&partition(space), &range, names.limit).await
    }

    /// The files that stand at `keys`, in that order, leaving out those that are gone.
    pub(crate) async fn get_many(&self, space: UserId, keys: &[Sort]) -> Result<Vec<StoredFile>, StoreError> {
        let found = self.records.get_many(&partition(space), keys).await?;
        Ok(found.into_iter().flatten().map(StoredFile).collect())
    }
}
