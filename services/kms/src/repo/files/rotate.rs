//! The versions of a file key: another one is made, old ones are destroyed.

use std::ops::Range;

use coffer_core::FileName;
use coffer_store::records::{SealedCommit, StoreError, Stored};

use super::{FileRecord, FileRepo, Space, key_sort, name_sort};
use crate::repo::pool::StoredPair;

impl FileRepo {
    /// Puts another version of a file's key beside those that it has; `false` if the file has changed since it was read.
    pub(crate) async fn add_key(
        &self,
        (space, name): (Space, &FileName),
        read: &Stored<FileRecord>,
        (file, key): (&FileRecord, &StoredPair),
    ) -> Result<bool, StoreError> {
        let (sort, key_sort) = (name_sort(name), key_sort(file.id, file.version));
        let commit = SealedCommit::new()
            .at_version(&sort, read.version)
            .absent(&key_sort)
            .put_as(&sort, file, None)
            .put_as(&key_sort, key, None);
        Ok(self.store.commit(&space.partition(), commit).await?.is_committed())
    }

    /// Changes what is known of a file and deletes these versions of its key; `false` if it has changed since it was read.
    pub(crate) async fn change_file(
        &self,
        (space, name): (Space, &FileName),
        read: &Stored<FileRecord>,
        (file, destroyed): (&FileRecord, Range<u32>),
    ) -> Result<bool, StoreError> {
        let sort = name_sort(name);
        let commit = SealedCommit::new().at_version(&sort, read.version).put_as(&sort, file, None);
        let commit = destroyed.fold(commit, |commit, version| commit.delete(&key_sort(file.id, version)));
        Ok(self.store.commit(&space.partition(), commit).await?.is_committed())
    }
}
