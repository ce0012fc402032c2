//! File keys whose files are being wrapped for their current versions.
//!
//! Table `rotation`, one partition; the key is name space / file id. An entry is committed before the version that it is
//! about, and goes once nothing is left to do. Whoever works on it says until when he has it: if he dies, another goes on
//! after that.

use coffer_core::{FileId, FileName, Timestamp};
use coffer_store::records::{
    Outcome, Partition, Sealed, SealedCommit, Sort, SortRange, StoreError, Stored, Version,
};
use serde::{Deserialize, Serialize};

use super::files::Space;
use super::tables::ROTATION;

/// A file key that gets, or got, another version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// The key's file.
    pub file: FileId,
    /// Its name space.
    pub(crate) space: coffer_core::UserId,
    /// Its name.
    pub name: FileName,
    /// Until when nobody else should work on it.
    pub taken_until: Timestamp,
}

/// All of them.
#[derive(Clone, Debug)]
pub struct RotationRepo {
    store: Sealed,
}

fn partition() -> Partition {
    Partition::new(ROTATION, [])
}

impl Rotation {
    /// One that its maker has until then.
    pub fn new((space, name): (Space, FileName), file: FileId, taken_until: Timestamp) -> Self {
        Self { file, space: space.0, name, taken_until }
    }

    /// Where the file is.
    pub fn space(&self) -> Space {
        Space(self.space)
    }

    fn sort(&self) -> Sort {
        Sort::of(self.space.as_bytes()).and(self.file.as_bytes()).build()
    }
}

impl RotationRepo {
    /// Those in `store`.
    pub fn new(store: Sealed) -> Self {
        Self { store }
    }

    /// Notes it, whatever is noted of the same key.
    pub async fn put(&self, rotation: &Rotation) -> Result<(), StoreError> {
        let commit = SealedCommit::new().put_as(&rotation.sort(), rotation, None);
        self.store.commit(&partition(), commit).await.map(drop)
    }

    /// Writes it over what was read; the version that it has then, or nothing if it has changed.
    pub async fn change(&self, read: Version, rotation: &Rotation) -> Result<Option<Version>, StoreError> {
        let sort = rotation.sort();
        let commit = SealedCommit::new().at_version(&sort, read).put_as(&sort, rotation, None);
        Ok(match self.store.commit(&partition(), commit).await? {
            Outcome::Committed(committed) => Some(committed.version),
            Outcome::Refused { .. } => None,
        })
    }

    /// Removes it, unless it has changed since it was read.
    pub async fn remove(&self, read: Version, rotation: &Rotation) -> Result<(), StoreError> {
        let sort = rotation.sort();
        let commit = SealedCommit::new().at_version(&sort, read).delete(&sort);
        self.store.commit(&partition(), commit).await.map(drop)
    }

    /// Some of them after `after`, in order.
    pub async fn page(
        &self,
        after: Option<&Sort>,
        limit: usize,
    ) -> Result<Vec<Stored<Rotation>>, StoreError> {
        let range = after.map_or_else(SortRange::all, |after| SortRange::all().after(after));
        Ok(self.store.scan_as(&partition(), &range, limit).await?.items)
    }
}
