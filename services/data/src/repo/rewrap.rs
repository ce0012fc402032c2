//! Putting other wrapped keys into records that are kept, whatever they hold otherwise.

use coffer_core::{FileName, UserId};
use coffer_store::records::{SealedCommit, Sort, StoreError};

use super::files::{FileRepo, StoredFile};
use super::native::{Past, Tombstone};
use super::record::{FileRecord, name_key, partition, trash_key};
use super::state::NameState;

/// What of a name is written anew.
#[derive(Debug, Default)]
pub(crate) struct Rewrap<'a> {
    /// The file, if there is one: its wrapped keys, or its trail.
    pub(crate) file: Option<FileRecord<'a>>,
    /// What is told of it, if it is deleted.
    pub(crate) tombstone: Option<Tombstone>,
    /// Versions that were set aside, as they were read, and what they are to be.
    pub(crate) pasts: Vec<(&'a Past, &'a StoredFile, FileRecord<'a>)>,
}

impl FileRepo {
    /// The records of these versions; none of one that is not kept any more.
    pub(crate) async fn pasts(
        &self,
        space: UserId,
        name: &FileName,
        trail: &[Past],
    ) -> Result<Vec<Option<StoredFile>>, StoreError> {
        if trail.is_empty() {
            return Ok(Vec::new());
        }
        let key = name_key(name);
        let keys: Vec<_> = trail.iter().map(|past| Sort::past(&key, past.revision())).collect();
        let found = self.records.get_many(&partition(space), &keys).await?;
        Ok(found.into_iter().map(|record| record.map(StoredFile::from)).collect())
    }

    /// Writes it, if nothing of it has changed since it was read.
    pub(crate) async fn rewrap(
        &self,
        space: UserId,
        name: &FileName,
        (before, rewrap): (&NameState, &Rewrap<'_>),
    ) -> Result<bool, StoreError> {
        let (key, trash) = (name_key(name), trash_key(name));
        let commit = SealedCommit::new();
        let mut commit = match &before.file {
            Some(stored) => commit.at_version(&key, stored.version()),
            None => commit.absent(&key),
        };
        commit = match &before.trashed {
            Some((version, _)) => commit.at_version(&trash, *version),
            None => commit.absent(&trash),
        };
        for (past, stored, _) in &rewrap.pasts {
            commit = commit.at_version(&Sort::past(&key, past.revision()), stored.version());
        }
        if let Some(record) = &rewrap.file {
            commit = commit.put_as(&key, record, None);
        }
        if let Some(tombstone) = &rewrap.tombstone {
            commit = commit.put_as(&trash, tombstone, tombstone.trail.last().map(|past| past.until));
        }
        for (past, _, record) in &rewrap.pasts {
            commit = commit.put_as(&Sort::past(&key, past.revision()), record, Some(past.until));
        }
        Ok(self.records.commit(&partition(space), commit).await?.is_committed())
    }
}
