//! Who shares what with somebody: an index over grants.
//!
//! Table `grantee`; the partition is the grantee's blinded address, the key is file name / time of the
//! grant / owner's id / file id, so that of several files with one name the oldest grant comes first. An entry
//! is written before its grant and deleted after it, so every grant has one; an entry without a grant, or
//! with a grant of another time, means nothing.

use coffer_api::AddressHash;
use coffer_core::{FileId, FileName, Timestamp, UserId};
use coffer_store::records::{Page, Partition, Sealed, SealedCommit, Sort, SortRange, StoreError, Stored};
use serde::{Deserialize, Serialize};

use super::{Space, corrupt};
use crate::repo::tables::GRANTEE;

/// An entry of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// The file's name.
    pub name: FileName,
    /// Since when it is shared.
    pub granted_at: Timestamp,
    /// Whose it is.
    pub owner: UserId,
    /// The file.
    pub file: FileId,
    /// The name space where file and grant stand.
    pub space: Space,
}

#[derive(Serialize, Deserialize)]
struct EntryRecord {
    space: UserId,
}

/// The index of all grantees.
#[derive(Clone, Debug)]
pub struct GranteeRepo {
    store: Sealed,
}

fn partition(grantee: AddressHash) -> Partition {
    Partition::new(GRANTEE, grantee.as_bytes())
}

impl IndexEntry {
    fn sort(&self) -> Sort {
        // Moments before 1970 do not occur; were one to, it would sort last and harm nobody.
        let granted_at = self.granted_at.as_ms().to_be_bytes();
        let named = Sort::of(self.name.as_str()).and(granted_at);
        named.and(self.owner.as_bytes()).and(self.file.as_bytes()).build()
    }

    fn read(stored: &Stored<EntryRecord>) -> Option<Self> {
        let parts = stored.sort.parts()?;
        let [name, granted_at, owner, file] = parts.as_slice() else { return None };
        Some(Self {
            name: std::str::from_utf8(name).ok()?.parse().ok()?,
            granted_at: Timestamp::from_ms(i64::from_be_bytes(granted_at.as_slice().try_into().ok()?)),
            owner: UserId::from_bytes(owner.as_slice().try_into().ok()?),
            file: FileId::from_bytes(file.as_slice().try_into().ok()?),
            space: Space(stored.value.space),
        })
    }
}

impl GranteeRepo {
    /// The index in `store`.
    pub fn new(store: Sealed) -> Self {
        Self { store }
    }

    /// Writes an entry; one that is there already stays as it is.
    pub async fn put(&self, grantee: AddressHash, entry: &IndexEntry) -> Result<(), StoreError> {
        let record = EntryRecord { space: entry.space.0 };
        let commit = SealedCommit::new().put_as(&entry.sort(), &record, None);
        self.store.commit(&partition(grantee), commit).await.map(drop)
    }

    /// Deletes an entry.
    pub async fn delete(&self, grantee: AddressHash, entry: &IndexEntry) -> Result<(), StoreError> {
        self.store.commit(&partition(grantee), SealedCommit::new().delete(&entry.sort())).await.map(drop)
    }

    /// All entries, as a range to page through.
    pub fn all() -> SortRange {
        SortRange::all()
    }

    /// The entries of one name, the oldest grant first, as a range to page through.
    pub fn of_name(name: &FileName) -> SortRange {
        Sort::of(name.as_str()).children()
    }

    /// A page of entries, by name and then by age, each with its place in the index.
    pub async fn entries(
        &self,
        grantee: AddressHash,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<(Sort, IndexEntry)>, StoreError> {
        let page = self.store.scan_as(&partition(grantee), range, limit).await?;
        let read = page.items.into_iter().map(|stored| {
            let entry = IndexEntry::read(&stored).ok_or_else(|| corrupt("an entry of the grantee index"))?;
            Ok((stored.sort, entry))
        });
        Ok(Page { items: read.collect::<Result<_, StoreError>>()?, more: page.more })
    }
}
