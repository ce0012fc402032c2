//! Files, their keys and their grants in the store.
//!
//! Table `files`; a partition is a name space, that is its owner's id (or the nil id where all share one
//! name space). What belongs to one file commits together:
//!
//! | key | holds |
//! |---|---|
//! | `name` / file name | the file: id, owner, current version |
//! | `key` / file id / version | one version of its key, both halves |
//! | `use` / file id / user id | what somebody else did with its key |
//! | `grant` / file id / blinded address | who may use it |
//! | `grants` / file id | how many grants it has (a counter) |
//! | `count` / owner id | how many files the owner has (a counter) |
//! | `contents`, `content` / file id / file name / … | which versions of its content are registered |
//!
//! A name is visible to whoever holds the storage; the key and the grantee's address are not.

mod covering;
mod grants;
mod index;
mod rotate;
mod uses;
mod versions;

use coffer_api::file_keys::Covers;
use coffer_core::{FileId, FileName, Timestamp, UserId};
use coffer_store::records::{
    Outcome, Page, Partition, Sealed, SealedCommit, SealedSweepPage, Sort, SortRange, StoreError, Stored,
    SweepCursor,
};
use serde::{Deserialize, Serialize};

use super::pool::StoredPair;
use super::tables::FILES;

pub use covering::{Covering, FOLDERS_DEEP_MAX, ancestors};
pub use grants::{GrantKey, GrantRecord};
pub(crate) use grants::{Granting, grantee};
pub use index::{GranteeRepo, IndexEntry};
pub use uses::{UseKey, UseRecord};
pub use versions::{ContentChange, ContentKey, ContentRecord, ContentState, ContentStep};

/// A name space: its owner's id, or the nil id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Space(pub UserId);

impl Space {
    /// The one name space for all.
    pub const SHARED: Self = Self(UserId::from_bytes([0; 16]));

    fn partition(self) -> Partition {
        Partition::new(FILES, self.0.as_bytes())
    }
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its id.
    pub id: FileId,
    /// Whose it is.
    pub owner: UserId,
    /// The current version of its key.
    pub version: u32,
    /// When its key was made.
    pub created_at: Timestamp,
    /// Whether it is known to have been uploaded.
    #[serde(default)]
    pub uploaded: bool,
    /// Whether its key is for this file or for a folder.
    #[serde(default)]
    pub covers: Covers,
    /// The oldest version of its key that was not destroyed.
    #[serde(default = "first_version")]
    pub oldest: u32,
    /// When its key got its current version, if that is not the first.
    #[serde(default)]
    pub rotated_at: Option<Timestamp>,
    /// The version that all that is kept was wrapped for last, while it is being wrapped for the current one.
    #[serde(default)]
    pub moving_from: Option<u32>,
}

fn first_version() -> u32 {
    1
}

impl FileRecord {
    /// The version whose private half is handed out: what everything that is kept is wrapped for.
    pub fn settled(&self) -> u32 {
        self.moving_from.unwrap_or(self.version)
    }

    /// Since when the current version of its key is in use.
    pub fn since(&self) -> Timestamp {
        self.rotated_at.unwrap_or(self.created_at)
    }
}

/// What came of making a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It was made.
    Made,
    /// Somebody else was faster.
    Taken,
    /// Its owner has as many files as allowed.
    Full,
}

/// The files of all name spaces.
#[derive(Clone, Debug)]
pub struct FileRepo {
    store: Sealed,
}

fn name_sort(name: &FileName) -> Sort {
    Sort::of("name").and(name.as_str()).build()
}

fn key_sort(file: FileId, version: u32) -> Sort {
    Sort::of("key").and(file.as_bytes()).and(version.to_be_bytes()).build()
}

fn count_sort(owner: UserId) -> Sort {
    Sort::of("count").and(owner.as_bytes()).build()
}

/// The second part of a key: what it names.
fn second_part(sort: &Sort) -> Result<Vec<u8>, StoreError> {
    let parts = sort.parts().filter(|parts| parts.len() > 1);
    parts.map(|mut parts| parts.swap_remove(1)).ok_or_else(|| corrupt("a key names nothing"))
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt { what: what.to_owned() }
}

impl FileRepo {
    /// The files in `store`.
    pub fn new(store: Sealed) -> Self {
        Self { store }
    }

    /// The file of this name.
    pub async fn file(
        &self,
        space: Space,
        name: &FileName,
    ) -> Result<Option<Stored<FileRecord>>, StoreError> {
        self.store.get_as(&space.partition(), &name_sort(name)).await
    }

    /// One version of a file's key.
    pub async fn key(&self, space: Space, file: FileId, version: u32) -> Result<StoredPair, StoreError> {
        let key = self.kept_key(space, file, version).await?;
        key.ok_or_else(|| corrupt("a file has no key"))
    }

    /// One version of a file's key, unless it was destroyed.
    pub async fn kept_key(
        &self,
        space: Space,
        file: FileId,
        version: u32,
    ) -> Result<Option<StoredPair>, StoreError> {
        let key = self.store.get_as(&space.partition(), &key_sort(file, version)).await?;
        Ok(key.map(|key| key.value))
    }

    /// Makes a file and the first version of its key, in one commit. With `instead_of` it takes that file's
    /// name, whose key is deleted. An owner has at most `files_max` files.
    pub async fn create(
        &self,
        (space, name): (Space, &FileName),
        (file, key): (&FileRecord, &StoredPair),
        instead_of: Option<&Stored<FileRecord>>,
        files_max: u32,
    ) -> Result<Creation, StoreError> {
        let (sort, count) = (name_sort(name), count_sort(file.owner));
        let mut commit = match instead_of {
            Some(old) => (old.value.oldest..=old.value.version).fold(
                SealedCommit::new().at_version(&sort, old.version).add(
                    &count_sort(old.value.owner),
                    -1,
                    None,
                ),
                |commit, version| commit.delete(&key_sort(old.value.id, version)),
            ),
            None => SealedCommit::new().absent(&sort),
        };
        commit = commit
            .counter_within(&count, 0..=i64::from(files_max) - 1)
            .add(&count, 1, None)
            .put_as(&sort, file, None)
            .put_as(&key_sort(file.id, file.version), key, None);
        Ok(match self.store.commit(&space.partition(), commit).await? {
            Outcome::Committed(_) => Creation::Made,
            Outcome::Refused { guard: 0 } => Creation::Taken,
            Outcome::Refused { .. } => Creation::Full,
        })
    }

    /// Remembers that a file was uploaded, unless the file has changed meanwhile.
    pub async fn mark_uploaded(
        &self,
        space: Space,
        name: &FileName,
        file: &Stored<FileRecord>,
    ) -> Result<(), StoreError> {
        let sort = name_sort(name);
        let uploaded = FileRecord { uploaded: true, ..file.value.clone() };
        let commit = SealedCommit::new().at_version(&sort, file.version).put_as(&sort, &uploaded, None);
        self.store.commit(&space.partition(), commit).await.map(drop)
    }

    /// A page of all that stands in any name space, still sealed.
    pub async fn sweep(
        &self,
        from: Option<&SweepCursor>,
        limit: usize,
    ) -> Result<SealedSweepPage, StoreError> {
        self.store.sweep(FILES, from, limit).await
    }

    /// The name of the file that stands at this key, if one does.
    pub fn name_at(sort: &Sort) -> Option<FileName> {
        match sort.parts()?.as_slice() {
            [kind, name] if kind == b"name" => std::str::from_utf8(name).ok()?.parse().ok(),
            _ => None,
        }
    }

    /// All names of a name space, as a range to page through.
    pub fn names() -> SortRange {
        Sort::of("name").children()
    }

    /// A page of files, by name.
    pub async fn files(
        &self,
        space: Space,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<(FileName, Stored<FileRecord>)>, StoreError> {
        let page = self.store.scan_as(&space.partition(), range, limit).await?;
        let named = page.items.into_iter().map(|file: Stored<FileRecord>| {
            let name = String::from_utf8(second_part(&file.sort)?).ok().and_then(|name| name.parse().ok());
            Ok((name.ok_or_else(|| corrupt("a file has no valid name"))?, file))
        });
        Ok(Page { items: named.collect::<Result<_, StoreError>>()?, more: page.more })
    }
}
