//! Grants: the authoritative records of who may use a file.
//!
//! A grant is keyed by the blinded address of its grantee, so one to an address without an account is a
//! record like any other. What has been revoked stays for a while as a mark, so that the grantee is told
//! that access was taken away and not that the file never was.

use coffer_api::AddressHash;
use coffer_api::grants::Permission;
use coffer_core::{EmailAddress, FileId, FileName, Timestamp};
use coffer_store::records::{Outcome, Page, SealedCommit, Sort, SortRange, StoreError, Stored};
use serde::{Deserialize, Serialize};

use super::{FileRecord, FileRepo, Space, corrupt, name_sort};

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRecord {
    /// Who was given access, as the owner wrote it.
    pub email: EmailAddress,
    /// What it allows.
    pub permission: Permission,
    /// Since when.
    pub granted_at: Timestamp,
    /// Until when, if it ends by itself.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// When it was taken away, if it was.
    #[serde(default)]
    pub revoked_at: Option<Timestamp>,
}

impl GrantRecord {
    /// Whether it gives access at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// Which grant: of which file to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantKey {
    /// The file's name space.
    pub space: Space,
    /// The file.
    pub file: FileId,
    /// The grantee's blinded address.
    pub grantee: AddressHash,
}

/// What came of making a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Granting {
    Made,
    /// The file or the grant has changed since it was read.
    Changed,
    /// The file has as many grants as allowed.
    Full,
}

fn sort(key: &GrantKey) -> Sort {
    Sort::of("grant").and(key.file.as_bytes()).and(key.grantee.as_bytes()).build()
}

fn count(file: FileId) -> Sort {
    Sort::of("grants").and(file.as_bytes()).build()
}

impl FileRepo {
    /// A grant, live or not.
    pub async fn grant(&self, key: &GrantKey) -> Result<Option<Stored<GrantRecord>>, StoreError> {
        self.store.get_as(&key.space.partition(), &sort(key)).await
    }

    /// The files of these names with the grant to `grantee` of the given file ids, in one look for all: none
    /// where the name leads to another file now or nothing was ever granted.
    pub async fn granted(
        &self,
        space: Space,
        grantee: AddressHash,
        wanted: &[(&FileName, FileId)],
    ) -> Result<Vec<Option<(FileRecord, GrantRecord)>>, StoreError> {
        let sorts: Vec<_> = wanted
            .iter()
            .flat_map(|&(name, file)| [name_sort(name), sort(&GrantKey { space, file, grantee })])
            .collect();
        let mut found = self.store.get_many(&space.partition(), &sorts).await?.into_iter();
        let mut answers = Vec::with_capacity(wanted.len());
        for &(_, id) in wanted {
            let pair = (found.next().flatten(), found.next().flatten());
            let (Some(file), Some(grant)) = pair else {
                answers.push(None);
                continue;
            };
            let (file, grant) = (file.decode::<FileRecord>()?.value, grant.decode()?.value);
            answers.push((file.id == id).then_some((file, grant)));
        }
        Ok(answers)
    }

    /// Writes a grant over what was `read` of it, if neither it nor the file has changed since.
    pub(crate) async fn put_grant(
        &self,
        (key, name): (&GrantKey, &FileName),
        file: &Stored<FileRecord>,
        (read, grant): (Option<&Stored<GrantRecord>>, &GrantRecord),
        grants_max: u32,
    ) -> Result<Granting, StoreError> {
        let (sort, count) = (sort(key), count(key.file));
        let mut commit = SealedCommit::new().at_version(&name_sort(name), file.version);
        commit = match read {
            Some(read) => commit.at_version(&sort, read.version),
            None => commit.absent(&sort),
        };
        // Counted from the grant until it is revoked; one that has expired counts until it is cleared away.
        if read.is_none_or(|read| read.value.revoked_at.is_some()) {
            commit = commit.counter_within(&count, 0..=i64::from(grants_max) - 1).add(&count, 1, None);
        }
        commit = commit.put_as(&sort, grant, None);
        Ok(match self.store.commit(&key.space.partition(), commit).await? {
            Outcome::Committed(_) => Granting::Made,
            Outcome::Refused { guard: 0 | 1 } => Granting::Changed,
            Outcome::Refused { .. } => Granting::Full,
        })
    }

    /// Turns a grant that was not revoked before into a mark that it was, until `forget_at`. `false` if it has
    /// changed since it was `read`.
    pub async fn end_grant(
        &self,
        key: &GrantKey,
        read: &Stored<GrantRecord>,
        (now, forget_at): (Timestamp, Timestamp),
    ) -> Result<bool, StoreError> {
        let ended = GrantRecord { revoked_at: Some(now), ..read.value.clone() };
        let commit = SealedCommit::new()
            .at_version(&sort(key), read.version)
            .put_as(&sort(key), &ended, Some(forget_at))
            .add(&count(key.file), -1, None);
        Ok(self.store.commit(&key.space.partition(), commit).await?.is_committed())
    }

    /// All grants of a file, as a range to page through.
    pub fn grants_of(file: FileId) -> SortRange {
        Sort::of("grant").and(file.as_bytes()).children()
    }

    /// A page of grants, live or not.
    pub async fn grants(
        &self,
        space: Space,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Stored<GrantRecord>>, StoreError> {
        self.store.scan_as(&space.partition(), range, limit).await
    }
}

/// To whom the grant at this key is.
pub(crate) fn grantee(sort: &Sort) -> Result<AddressHash, StoreError> {
    let parts = sort.parts().unwrap_or_default();
    let hash = parts.get(2).and_then(|part| <[u8; 32]>::try_from(part.as_slice()).ok());
    hash.map(AddressHash::from_bytes).ok_or_else(|| corrupt("a grant is to nobody"))
}
