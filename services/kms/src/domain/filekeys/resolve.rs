//! Where a name leads for somebody.
//!
//! The caller's own uploaded file; then the oldest live grant under that name; then the caller's own
//! unfinished one. So a friend's file is reached although the caller once began one of the same name, and
//! nobody can push a file of his in front of one that the caller has. An owner's address overrides.
//!
//! A file without a key of its own has that of the nearest folder above it that has one; then a grant on that folder is
//! a grant on the file.
//!
//! *Denied* means that there was access once, or that a certain owner's file was asked for without
//! it; *unknown* is all that anybody is told of files that were never shared with him.

use coffer_api::AddressHash;
use coffer_api::file_keys::Covers;
use coffer_api::grants::Permission;
use coffer_core::{EmailAddress, FileName, Timestamp, UserId};
use coffer_store::records::{StoreError, Stored};

use super::{FileKeyError, FileKeys};
use crate::repo::files::{
    Covering, FileRecord, GrantKey, GrantRecord, GranteeRepo, IndexEntry, Space, ancestors,
};

/// Entries of one name that are looked at in one go.
const ENTRIES_PAGE: usize = 64;
/// Entries of one name that are looked at, at most: so many owners share a file of one name with somebody.
const ENTRIES_MAX: usize = 1024;
/// The owner that is looked up where an address has none.
pub(super) const NOBODY: UserId = UserId::from_bytes([0xff; 16]);

/// What a user may do with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Everything.
    Owner,
    /// What the grant allows.
    Granted(GrantRecord),
}

/// A file that somebody may use.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) space: Space,
    /// The name that the key was made for: the file's, or that of a folder above it.
    pub(super) key_name: FileName,
    pub(super) file: FileRecord,
    pub(super) access: Access,
}

impl Found {
    fn of(space: Space, Covering { name, file }: Covering, access: Access) -> Self {
        Self { space, key_name: name, file: file.value.clone(), access }
    }
}

/// Where a name leads.
#[derive(Clone, Debug)]
pub(super) enum Resolution {
    Found(Found),
    Unknown,
    Denied,
}

impl Resolution {
    /// The file, or why not.
    pub(super) fn found(self) -> Result<Found, FileKeyError> {
        match self {
            Self::Found(found) => Ok(found),
            Self::Unknown => Err(FileKeyError::NotFound),
            Self::Denied => Err(FileKeyError::AccessDenied),
        }
    }
}

/// Which file is meant.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its name.
    pub name: &'a FileName,
    /// Its owner, where the name alone could mean another file.
    pub owner: Option<&'a EmailAddress>,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    pub(super) user: UserId,
    pub(super) address: AddressHash,
}

/// Whether the caller's own file counts if it is not known to have been uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnFile {
    /// Ask the data service.
    Ask,
    /// The data service asks, and it has none.
    NotUploaded,
}

/// Where a name leads, for the data service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// To a file in this name space.
    Found {
        /// The name space.
        space: UserId,
        /// When access ends by itself.
        expires_at: Option<Timestamp>,
    },
    /// Nowhere, as far as this user may know.
    NotFound,
    /// To a file that the user may not, or no longer, use.
    Denied,
}

impl FileKeys {
    /// Where a name leads for `user`, who wants to do what `permission` allows.
    pub async fn place(
        &self,
        user: UserId,
        wanted: Wanted<'_>,
        permission: Permission,
    ) -> Result<Place, FileKeyError> {
        let Some(profile) = self.directory.active(user).await? else { return Ok(Place::NotFound) };
        let subject = Subject { user, address: self.directory.blind(&profile.email) };
        let own = wanted.owner.is_some_and(|owner| self.directory.blind(owner) == subject.address);
        if own && !self.rules.shared_names {
            // His name space, whether or not a key was made for the name: as without an owner.
            return Ok(Place::Found { space: user, expires_at: None });
        }
        let resolution = self.resolve(subject, wanted, OwnFile::NotUploaded).await?;
        Ok(match resolution {
            Resolution::Unknown => Place::NotFound,
            Resolution::Denied => Place::Denied,
            Resolution::Found(Found { space, access, .. }) => match access {
                Access::Owner => Place::Found { space: space.0, expires_at: None },
                Access::Granted(grant) if grant.permission < permission => Place::Denied,
                Access::Granted(grant) => Place::Found { space: space.0, expires_at: grant.expires_at },
            },
        })
    }

    pub(super) async fn resolve(
        &self,
        subject: Subject,
        Wanted { name, owner }: Wanted<'_>,
        own: OwnFile,
    ) -> Result<Resolution, FileKeyError> {
        if let Some(owner) = owner {
            return self.resolve_of(subject, name, owner).await;
        }
        if self.rules.shared_names {
            let file = self.files.covering(Space::SHARED, name).await?;
            return Ok(self.judge(subject, Space::SHARED, file).await?);
        }
        let space = Space(subject.user);
        let mine = self.files.covering(space, name).await?;
        let found = |file| Resolution::Found(Found::of(space, file, Access::Owner));
        let mine = match mine {
            Some(file) if file.record().uploaded => return Ok(found(file)),
            other => other,
        };
        let shared = self.granted_by_others(subject.address, name).await?;
        match (mine, shared) {
            (None, shared) => Ok(shared),
            (Some(file), Resolution::Found(shared)) => {
                let uploaded = own == OwnFile::Ask && self.is_uploaded(space, name, &file.file).await?;
                Ok(if uploaded { found(file) } else { Resolution::Found(shared) })
            }
            (Some(file), _) => Ok(found(file)),
        }
    }

    /// Where a name leads in a certain owner's name space. An address that nobody has costs as much as one
    /// that somebody has.
    async fn resolve_of(
        &self,
        subject: Subject,
        name: &FileName,
        owner: &EmailAddress,
    ) -> Result<Resolution, FileKeyError> {
        let owner = self.directory.owner_of(owner).await?.unwrap_or(NOBODY);
        let space = self.space(owner);
        let file = self.files.covering(space, name).await?;
        let file = file.filter(|file| file.record().owner == owner);
        let own = owner == subject.user;
        Ok(match self.judge(subject, space, file).await? {
            Resolution::Unknown if !own => Resolution::Denied,
            other => other,
        })
    }

    /// What `subject` may do with this file.
    async fn judge(
        &self,
        subject: Subject,
        space: Space,
        file: Option<Covering>,
    ) -> Result<Resolution, StoreError> {
        let Some(file) = file else { return Ok(Resolution::Unknown) };
        if file.record().owner == subject.user {
            return Ok(Resolution::Found(Found::of(space, file, Access::Owner)));
        }
        let key = GrantKey { space, file: file.record().id, grantee: subject.address };
        Ok(match self.files.grant(&key).await? {
            None => Resolution::Unknown,
            Some(grant) if grant.value.is_live(self.now()) => {
                Resolution::Found(Found::of(space, file, Access::Granted(grant.value)))
            }
            Some(_) => Resolution::Denied,
        })
    }

    /// The file of this name that others share: it alone, or the nearest folder above it.
    async fn granted_by_others(
        &self,
        address: AddressHash,
        name: &FileName,
    ) -> Result<Resolution, StoreError> {
        let mut outcome = self.oldest_grant(address, name, Covers::File).await?;
        let mut folders = ancestors(name);
        while !matches!(outcome, Resolution::Found(_))
            && let Some(folder) = folders.next()
        {
            match self.oldest_grant(address, &folder, Covers::Folder).await? {
                Resolution::Found(found) if self.is_covered(name, &found).await? => {
                    outcome = Resolution::Found(found);
                }
                Resolution::Denied => outcome = Resolution::Denied,
                _ => {}
            }
        }
        Ok(outcome)
    }

    /// Whether this folder's key is the file's: it may have one of its own, or be in another folder between.
    async fn is_covered(&self, name: &FileName, folder: &Found) -> Result<bool, StoreError> {
        let covering = self.files.covering(folder.space, name).await?;
        Ok(covering.is_some_and(|covering| covering.record().id == folder.file.id))
    }

    /// The file or folder of the oldest live grant under this name.
    async fn oldest_grant(
        &self,
        address: AddressHash,
        name: &FileName,
        covers: Covers,
    ) -> Result<Resolution, StoreError> {
        let mut outcome = Resolution::Unknown;
        let mut range = GranteeRepo::of_name(name);
        for _ in 0..ENTRIES_MAX / ENTRIES_PAGE {
            let page = self.grantees.entries(address, &range, ENTRIES_PAGE).await?;
            let last = page.items.last().map(|(sort, _)| sort.clone());
            for (_, entry) in page.items {
                match self.judge_entry(address, (&entry, covers)).await? {
                    Resolution::Unknown => {}
                    Resolution::Denied => outcome = Resolution::Denied,
                    found @ Resolution::Found(_) => return Ok(found),
                }
            }
            match last.filter(|_| page.more) {
                Some(last) => range = range.after(&last),
                None => break,
            }
        }
        Ok(outcome)
    }

    async fn judge_entry(
        &self,
        address: AddressHash,
        (entry, covers): (&IndexEntry, Covers),
    ) -> Result<Resolution, StoreError> {
        let wanted = [(&entry.name, entry.file)];
        let granted = self.files.granted(entry.space, address, &wanted).await?.pop().flatten();
        Ok(match granted.filter(|(file, _)| file.covers == covers) {
            Some((file, grant)) if grant.is_live(self.now()) && grant.granted_at == entry.granted_at => {
                let (space, key_name) = (entry.space, entry.name.clone());
                Resolution::Found(Found { space, key_name, file, access: Access::Granted(grant) })
            }
            Some((_, grant)) if !grant.is_live(self.now()) => Resolution::Denied,
            _ => Resolution::Unknown,
        })
    }

    /// Whether a file was uploaded: as remembered, or as the data service says.
    pub(super) async fn is_uploaded(
        &self,
        space: Space,
        name: &FileName,
        file: &Stored<FileRecord>,
    ) -> Result<bool, FileKeyError> {
        if file.value.uploaded {
            return Ok(true);
        }
        let exists = self.has_upload(space, name).await?;
        // That something is in a folder says nothing of another file there.
        if exists && file.value.covers == Covers::File {
            self.files.mark_uploaded(space, name, file).await?;
        }
        Ok(exists)
    }

    /// Whether the data service has a file of this name.
    pub(super) async fn has_upload(&self, space: Space, name: &FileName) -> Result<bool, FileKeyError> {
        self.uploads.exists(space.0, name).await.map_err(FileKeyError::Uploads)
    }
}
