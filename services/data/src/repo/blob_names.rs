//! Blobs that have, or had, more than one name.
//!
//! A blob's name is known from the note that it is due for collection. A copy in the same space shares the blob, and the
//! commit that makes it says so here: all names that ever had it. Whoever collects looks at all of them. Each that lets go
//! of the blob leaves a note of its own, so the last one's leads to its end.

use coffer_core::{BlobId, FileName, UserId};
use coffer_store::records::{SealedCommit, StoreError, Version};
use serde::{Deserialize, Serialize};

use super::files::FileRepo;
use super::record::{blob_names_key, partition};

/// Names that one blob may ever have; one more copy has bytes of its own.
pub(crate) const NAMES_MAX: usize = 64;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Names {
    names: Vec<FileName>,
}

/// The names of a blob, as they were read, and as they are to be.
#[derive(Clone, Debug)]
pub(crate) struct BlobNames {
    blob: BlobId,
    read: Option<Version>,
    names: Vec<FileName>,
}

impl BlobNames {
    /// The names that it ever had, if it had more than one.
    pub(crate) fn all(&self) -> &[FileName] {
        &self.names
    }

    /// With these names too; nothing if they are too many.
    pub(crate) fn with(mut self, names: [&FileName; 2]) -> Option<Self> {
        for name in names {
            if !self.names.contains(name) {
                self.names.push(name.clone());
            }
        }
        (self.names.len() <= NAMES_MAX).then_some(self)
    }

    /// Writes them, if they have not changed since they were read.
    pub(super) fn write(&self, commit: SealedCommit) -> SealedCommit {
        let key = blob_names_key(self.blob);
        let commit = match self.read {
            Some(version) => commit.at_version(&key, version),
            None => commit.absent(&key),
        };
        commit.put_as(&key, &Names { names: self.names.clone() }, None)
    }
}

impl FileRepo {
    /// The names of a blob, if it has had more than one.
    pub(crate) async fn blob_names(&self, space: UserId, blob: BlobId) -> Result<BlobNames, StoreError> {
        let found = self.records.get_as::<Names>(&partition(space), &blob_names_key(blob)).await?;
        Ok(match found {
            Some(found) => BlobNames { blob, read: Some(found.version), names: found.value.names },
            None => BlobNames { blob, read: None, names: Vec::new() },
        })
    }

    /// Forgets the names of a blob that is gone.
    pub(crate) async fn forget_blob_names(&self, space: UserId, blob: BlobId) -> Result<(), StoreError> {
        let commit = SealedCommit::new().delete(&blob_names_key(blob));
        self.records.commit(&partition(space), commit).await.map(drop)
    }
}
