//! Making a file key.
//!
//! A name whose key was made but whose file never arrived does not block anybody: its owner gets the same
//! key again until the file is there. Where all share one name space, somebody else may take such a
//! name over once it is an hour old.
//!
//! The data service takes a file whose key was never made here: nothing can open it, but it has the name. So it is
//! asked before a key is made too, and the answer is the same every time.

use std::time::Duration;

use coffer_api::file_keys::Covers;
use coffer_core::{FileId, FileName, Timestamp};
use coffer_store::records::Stored;

use super::resolve::{Access, Found, OwnFile, Subject};
use super::{Caller, FileKeyError, FileKeys, TRIES_MAX, Wanted};
use crate::domain::events::{Action, KeyUse};
use crate::repo::files::{Creation, FOLDERS_DEEP_MAX, FileRecord, Space};

/// How long an unfinished name is its owner's alone where all share one name space.
const UNFINISHED_KEPT: Duration = Duration::from_hours(1);

/// A file key's public side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The file.
    pub file: FileId,
    /// Its name.
    pub name: FileName,
    /// The owner's address.
    pub owner: String,
    /// The version of the key.
    pub version: u32,
    /// PEM `SubjectPublicKeyInfo`.
    pub public_pem: String,
    /// When the key was made.
    pub created_at: Timestamp,
    /// Whether the file is known to have been uploaded.
    pub uploaded: bool,
    /// What the caller may do.
    pub access: coffer_api::file_keys::Access,
    /// Whether it is for one file or for a folder.
    pub covers: Covers,
}

/// A file whose public key may be handed out, and that key, if it was just made.
struct Target {
    file: FileRecord,
    public_pem: Option<String>,
}

impl FileKeys {
    /// Makes a file key in the caller's name space, or gives the one there is if its file was never uploaded.
    pub async fn create(&self, caller: &Caller, name: &FileName) -> Result<PublicKey, FileKeyError> {
        let space = self.space(caller.user);
        let target = self.create_or_find(caller, (space, name)).await?;
        self.own_public_key(space, name, target).await
    }

    /// Makes the key of a folder in the caller's name space, or gives the one there is.
    pub async fn create_folder(&self, caller: &Caller, name: &FileName) -> Result<PublicKey, FileKeyError> {
        let field = |message| FileKeyError::Field { field: "covers", message };
        if self.rules.shared_names {
            return Err(field("folders have no keys where all share one name space"));
        }
        if name.as_str().split('/').count() > FOLDERS_DEEP_MAX {
            return Err(field("a folder that has a key is at most 32 deep"));
        }
        let space = self.space(caller.user);
        for _ in 0..TRIES_MAX {
            let target = match self.files.file(space, name).await? {
                Some(old) if old.value.covers == Covers::Folder => {
                    Some(Target { file: old.value, public_pem: None })
                }
                Some(_) => return Err(FileKeyError::FileExists),
                None if self.has_upload(space, name).await? => return Err(FileKeyError::FileExists),
                None => self.try_create(caller, (space, name, Covers::Folder), None).await?,
            };
            if let Some(target) = target {
                return self.own_public_key(space, name, target).await;
            }
        }
        Err(FileKeyError::Conflict)
    }

    async fn own_public_key(
        &self,
        space: Space,
        name: &FileName,
        Target { file, public_pem }: Target,
    ) -> Result<PublicKey, FileKeyError> {
        let public_pem = match public_pem {
            Some(pem) => pem,
            None => self.public_pem(space, &file).await?,
        };
        let found = Found { space, key_name: name.clone(), file, access: Access::Owner };
        self.public_key(found, public_pem).await
    }

    /// The PEM alone of [`create`](Self::create): what the file contract asks for. An owner who is named must
    /// be the caller.
    pub async fn create_pem(&self, caller: &Caller, wanted: Wanted<'_>) -> Result<String, FileKeyError> {
        if wanted.owner.is_some_and(|owner| self.directory.blind(owner) != caller.address) {
            return Err(FileKeyError::NotOwner);
        }
        let space = self.space(caller.user);
        let Target { file, public_pem } = self.create_or_find(caller, (space, wanted.name)).await?;
        match public_pem {
            Some(pem) => Ok(pem),
            None => self.public_pem(space, &file).await,
        }
    }

    /// A file key that the caller may use.
    pub async fn show(&self, caller: &Caller, wanted: Wanted<'_>) -> Result<PublicKey, FileKeyError> {
        let subject = Subject { user: caller.user, address: caller.address };
        let found = self.resolve(subject, wanted, OwnFile::Ask).await?.found()?;
        let public_pem = self.public_pem(found.space, &found.file).await?;
        self.public_key(found, public_pem).await
    }

    async fn create_or_find(&self, caller: &Caller, at: (Space, &FileName)) -> Result<Target, FileKeyError> {
        for _ in 0..TRIES_MAX {
            let old = self.files.file(at.0, at.1).await?;
            if let Some(old) = &old {
                if old.value.covers == Covers::Folder {
                    return Err(FileKeyError::FileExists);
                }
                if self.is_uploaded(at.0, at.1, old).await? {
                    return Err(FileKeyError::FileExists);
                }
                if old.value.owner == caller.user {
                    return Ok(Target { file: old.value.clone(), public_pem: None });
                }
                if self.now().since(old.value.created_at) < UNFINISHED_KEPT {
                    return Err(FileKeyError::FileExists);
                }
            } else if self.has_upload(at.0, at.1).await? {
                return Err(FileKeyError::FileExists);
            }
            if let Some(target) = self.try_create(caller, (at.0, at.1, Covers::File), old.as_ref()).await? {
                return Ok(target);
            }
        }
        Err(FileKeyError::Conflict)
    }

    /// Makes the file, in one commit; nothing if somebody else was faster.
    async fn try_create(
        &self,
        caller: &Caller,
        (space, name, covers): (Space, &FileName, Covers),
        old: Option<&Stored<FileRecord>>,
    ) -> Result<Option<Target>, FileKeyError> {
        let pair = self.pool.take().await?;
        let (id, now) = (self.make_id(), self.now());
        let file = FileRecord {
            id,
            owner: caller.user,
            version: 1,
            created_at: now,
            uploaded: false,
            covers,
            oldest: 1,
            rotated_at: None,
            moving_from: None,
        };
        let files_max = self.rules.files_per_owner_max;
        // If the store fails here, the pair may be in it and is given up.
        match self.files.create((space, name), (&file, &pair), old, files_max).await? {
            Creation::Made => {}
            Creation::Taken => {
                self.pool.put_back(pair);
                return Ok(None);
            }
            Creation::Full => {
                self.pool.put_back(pair);
                return Err(FileKeyError::Limit { what: "file keys", max: files_max });
            }
        }
        let key = KeyUse { file: id, name: name.clone(), version: 1 };
        if old.is_some() {
            // The name led its first owner to a key that is gone.
            self.feed.changes().note();
        }
        let made = if old.is_some() { Action::FileNameTakenOver(key) } else { Action::FileKeyCreated(key) };
        self.record(caller, made).await?;
        Ok(Some(Target { file, public_pem: Some(pair.public_pem.clone()) }))
    }

    async fn public_pem(&self, space: Space, file: &FileRecord) -> Result<String, FileKeyError> {
        Ok(self.files.key(space, file.id, file.version).await?.public_pem.clone())
    }

    async fn public_key(&self, found: Found, public_pem: String) -> Result<PublicKey, FileKeyError> {
        let Found { file, access, key_name, .. } = found;
        Ok(PublicKey {
            file: file.id,
            name: key_name,
            owner: self.directory.email(file.owner).await?,
            version: file.version,
            public_pem,
            created_at: file.created_at,
            uploaded: file.uploaded,
            access: access.into(),
            covers: file.covers,
        })
    }
}

impl From<Access> for coffer_api::file_keys::Access {
    fn from(access: Access) -> Self {
        use coffer_api::grants::Permission;
        match access {
            Access::Owner => Self::Owner,
            Access::Granted(grant) => match grant.permission {
                Permission::Read => Self::Read,
                Permission::Write => Self::Write,
            },
        }
    }
}
