//! Listings: one's own file keys, the grants of one of them, and what others share.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use coffer_api::AddressHash;
use coffer_api::file_keys::Covers;
use coffer_api::grants::Permission;
use coffer_core::{FileId, FileName, Timestamp, UserId};
use coffer_store::records::{Sort, SortRange, StoreError};
use futures_util::future::try_join_all;

use super::{Caller, FileKeyError, FileKeys, GrantView, KeyVersions};
use crate::repo::files::{FileRepo, GrantRecord, GranteeRepo, IndexEntry, Space};

/// Files that are looked up in one name space in one go.
const LOOK_FILES_MAX: usize = 100;

/// A page of a listing. It may hold fewer items than asked for and still have a next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paged<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// A file key of the caller's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFile {
    /// The file.
    pub file: FileId,
    /// Its name.
    pub name: FileName,
    /// Whether it is a file or a folder.
    pub covers: Covers,
    /// When its key was made.
    pub created_at: Timestamp,
    /// Whether it is known to have been uploaded.
    pub uploaded: bool,
    /// The versions of its key.
    pub versions: KeyVersions,
}

/// A file that somebody else shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedFile {
    /// The file.
    pub file: FileId,
    /// Its name.
    pub name: FileName,
    /// Whether it is a file or a folder.
    pub covers: Covers,
    /// The name space it lies in.
    pub space: UserId,
    /// Whose it is.
    pub owner: UserId,
    /// What the caller may do.
    pub permission: Permission,
    /// Since when.
    pub granted_at: Timestamp,
    /// Until when, if it ends by itself.
    pub expires_at: Option<Timestamp>,
}

impl FileKeys {
    /// The caller's own file keys, by name.
    pub async fn own(
        &self,
        caller: &Caller,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Paged<OwnFile>, FileKeyError> {
        let range = range(FileRepo::names(), cursor)?;
        let page = self.files.files(self.space(caller.user), &range, limit).await?;
        let next = page.items.last().filter(|_| page.more).map(|(_, file)| text(&file.sort));
        // Where all share one name space, others' files stand between.
        let own = page.items.into_iter().filter(|(_, file)| file.value.owner == caller.user);
        let items = own.map(|(name, file)| OwnFile {
            file: file.value.id,
            name,
            covers: file.value.covers,
            created_at: file.value.created_at,
            uploaded: file.value.uploaded,
            versions: KeyVersions::of(&file.value),
        });
        Ok(Paged { items: items.collect(), next })
    }

    /// The live grants of a file of the caller's.
    pub async fn grants(
        &self,
        caller: &Caller,
        name: &FileName,
        (cursor, limit): (Option<&str>, usize),
    ) -> Result<Paged<GrantView>, FileKeyError> {
        let owned = self.owned(caller, name).await?;
        let range = range(FileRepo::grants_of(owned.file.value.id), cursor)?;
        let page = self.files.grants(owned.space, &range, limit).await?;
        let next = page.items.last().filter(|_| page.more).map(|grant| text(&grant.sort));
        let now = self.now();
        let live = page.items.into_iter().filter(|grant| grant.value.is_live(now));
        Ok(Paged { items: live.map(|grant| grant.value.into()).collect(), next })
    }

    /// What others share with whoever has this address, by name.
    pub async fn shared(
        &self,
        address: AddressHash,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Paged<SharedFile>, FileKeyError> {
        let range = range(GranteeRepo::all(), cursor)?;
        let page = self.grantees.entries(address, &range, limit).await?;
        let next = page.items.last().filter(|_| page.more).map(|(sort, _)| text(sort));
        let entries: Vec<_> = page.items.into_iter().map(|(_, entry)| entry).collect();
        let items = self.live(address, &entries).await?;
        Ok(Paged { items, next })
    }

    /// [`shared`](Self::shared) for a user who is known by his id only.
    pub async fn shared_with(
        &self,
        user: UserId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Paged<SharedFile>, FileKeyError> {
        match self.directory.active(user).await? {
            Some(profile) => self.shared(self.directory.blind(&profile.email), cursor, limit).await,
            None => Ok(Paged { items: Vec::new(), next: None }),
        }
    }

    /// The addresses of owners, for showing.
    pub async fn emails(&self, users: &[UserId]) -> Result<BTreeMap<UserId, String>, FileKeyError> {
        let mut emails: BTreeMap<_, _> = users.iter().map(|user| (*user, String::new())).collect();
        let lookups = emails.keys().map(|user| self.directory.email(*user));
        let found = try_join_all(lookups).await?;
        for (slot, email) in emails.values_mut().zip(found) {
            *slot = email;
        }
        Ok(emails)
    }

    /// Those of `entries` whose grants are live, in the same order; one look for each name space.
    async fn live(
        &self,
        address: AddressHash,
        entries: &[IndexEntry],
    ) -> Result<Vec<SharedFile>, StoreError> {
        let mut spaces: BTreeMap<Space, Vec<usize>> = BTreeMap::new();
        for (place, entry) in entries.iter().enumerate() {
            spaces.entry(entry.space).or_default().push(place);
        }
        let looks = spaces.iter().flat_map(|(space, places)| {
            places.chunks(LOOK_FILES_MAX).map(move |places| async move {
                let wanted: Vec<_> =
                    places.iter().map(|&place| (&entries[place].name, entries[place].file)).collect();
                let granted = self.files.granted(*space, address, &wanted).await?;
                Ok::<_, StoreError>(places.iter().copied().zip(granted).collect::<Vec<_>>())
            })
        });
        let mut granted: Vec<_> = try_join_all(looks).await?.into_iter().flatten().collect();
        granted.sort_unstable_by_key(|(place, _)| *place);
        let now = self.now();
        let shared = granted.into_iter().filter_map(|(place, granted)| {
            let (file, grant) = granted?;
            let entry = &entries[place];
            (grant.is_live(now) && grant.granted_at == entry.granted_at)
                .then(|| shared(entry, (file.covers, &grant)))
        });
        Ok(shared.collect())
    }
}

fn shared(entry: &IndexEntry, (covers, grant): (Covers, &GrantRecord)) -> SharedFile {
    SharedFile {
        file: entry.file,
        name: entry.name.clone(),
        covers,
        space: entry.space.0,
        owner: entry.owner,
        permission: grant.permission,
        granted_at: grant.granted_at,
        expires_at: grant.expires_at,
    }
}

/// A place in a listing as a cursor.
pub(super) fn text(sort: &Sort) -> String {
    URL_SAFE_NO_PAD.encode(sort.as_bytes())
}

/// What of `all` comes after the cursor.
pub(super) fn range(all: SortRange, cursor: Option<&str>) -> Result<SortRange, FileKeyError> {
    let Some(cursor) = cursor else { return Ok(all) };
    let place = URL_SAFE_NO_PAD.decode(cursor).ok().map(|bytes| Sort::from_bytes(Bytes::from(bytes)));
    let place = place.filter(|place| all.contains(place));
    let invalid = FileKeyError::Field { field: "cursor", message: "is not one of this listing" };
    place.map(|place| all.after(&place)).ok_or(invalid)
}
