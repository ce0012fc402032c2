//! Who may do what with which file.
//!
//! A name means first the caller's own file, which costs one read here and no question to the KMS. Only
//! when there is none is the KMS asked what else the name means to the caller.

use std::sync::{Arc, OnceLock};

use coffer_api::grants::Permission;
use coffer_auth::Principal;
use coffer_core::{EmailAddress, FileName, UserId};
use coffer_crypto::envelope::Refusal;
use coffer_kms_link::KmsError;
use coffer_store::records::StoreError;

use super::access::{AccessCache, Resolved};
use super::browsing::{Browse, Browsed};
use super::content::Parts;
use super::files::{Envelope, Files, Uploaded};
use super::kms::FileKms;
use super::listing::Listing;
use super::turns::{Reader, Turn, Turns};
use crate::repo::{BlobRef, StoredFile};

/// The name space of everybody, with `files.shared_names`.
pub const SHARED_SPACE: UserId = UserId::from_bytes([0; 16]);

/// A large download on its way. While it lasts it is one of those that may be at the same time.
pub struct Download {
    /// The parts of its ciphertext, in order.
    pub(crate) parts: Parts,
    _turn: Option<Turn>,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").finish_non_exhaustive()
    }
}

impl Download {
    /// A download that takes no turn.
    #[cfg(test)]
    pub(crate) fn without_bound(parts: Parts) -> Self {
        Self { parts, _turn: None }
    }
}

/// Who is asking.
#[derive(Clone, Copy, Debug)]
pub enum Caller {
    /// A user with a live session.
    User(Principal),
    /// Anybody: `files.shared_names` is set.
    Anybody,
}

impl Caller {
    /// The name space that is the caller's own.
    pub fn space(&self) -> UserId {
        match self {
            Self::User(principal) => principal.user_id,
            Self::Anybody => SHARED_SPACE,
        }
    }
}

/// A name, and whose, if the caller says so.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The file's name.
    pub name: &'a FileName,
    /// The owner's address.
    pub owner: Option<&'a EmailAddress>,
}

/// Why something is not done with a file.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The name means nothing to the caller.
    #[error("there is no such file")]
    NotFound,
    /// The file has no such version, or not any more.
    #[error("there is no such version of the file")]
    VersionNotFound,
    /// The caller may not use that file.
    #[error("the caller may not use this file")]
    Denied,
    /// The space has a file of this name.
    #[error("there is a file of this name")]
    Exists,
    /// The file is not what the caller made a condition.
    #[error("the file is not as the caller expects it")]
    Changed,
    /// A version that is as late, or later, is there already.
    #[error("a version that is not earlier is there already")]
    Conflict,
    /// What arrived is wrapped for a version of its file key that was destroyed.
    #[error("this version of the file key was destroyed")]
    KeyDestroyed,
    /// What arrived does not begin as an envelope does.
    #[error("this is no envelope")]
    NotAnEnvelope(#[source] Refusal),
    /// The body did not arrive whole.
    #[error("the body did not arrive whole")]
    Interrupted,
    /// The keyring has not arrived, so nothing can be opened or sealed.
    #[error("the keyring has not arrived from the KMS yet")]
    Locked,
    /// As many large files as may be are on their way already, of the caller or of all together.
    #[error("too many large uploads or downloads at the same time")]
    Busy,
    /// The KMS did not answer.
    #[error(transparent)]
    Kms(#[from] KmsError),
    /// The storage did not do it.
    #[error("the storage failed")]
    Store(#[from] StoreError),
}

/// The files, and who may use them.
#[derive(Debug)]
pub struct Library {
    files: OnceLock<Files>,
    access: Arc<AccessCache>,
    kms: Arc<dyn FileKms>,
    pub(super) turns: Turns,
    pub(super) uploads: Turns,
}

impl Library {
    /// A library that is locked until [`unlock`](Self::unlock); large downloads take `turns` of the first kind, large
    /// uploads of the second.
    pub fn new(access: Arc<AccessCache>, kms: Arc<dyn FileKms>, (turns, uploads): (Turns, Turns)) -> Self {
        Self { files: OnceLock::new(), access, kms, turns, uploads }
    }

    /// Opens the library: the keyring has arrived. Only the first call does anything.
    pub fn unlock(&self, files: Files) {
        self.files.get_or_init(|| files);
    }

    /// The files, once they can be opened.
    pub fn files(&self) -> Result<&Files, LibraryError> {
        self.files.get().ok_or(LibraryError::Locked)
    }

    /// Keeps an envelope in the caller's own space.
    pub async fn upload(
        &self,
        caller: &Caller,
        wanted: Wanted<'_>,
        envelope: &Envelope,
    ) -> Result<(), LibraryError> {
        let files = self.files()?;
        if let (Caller::User(principal), Some(_)) = (caller, wanted.owner) {
            // On this surface only owners upload, so naming another owner can only be refused.
            match self.resolve(principal, wanted, Permission::Write).await? {
                Resolved::In(space) if space == caller.space() => {}
                Resolved::In(_) | Resolved::Denied | Resolved::NotFound => return Err(LibraryError::Denied),
            }
        }
        match files.put(caller.space(), wanted.name, envelope).await? {
            Uploaded::Stored => Ok(()),
            Uploaded::Exists => Err(LibraryError::Exists),
        }
    }

    /// Finds the file that a name means to the caller.
    pub async fn find(&self, caller: &Caller, wanted: Wanted<'_>) -> Result<StoredFile, LibraryError> {
        let files = self.files()?;
        let is_own_first = wanted.owner.is_none() || matches!(caller, Caller::Anybody);
        if is_own_first && let Some(file) = files.get(caller.space(), wanted.name).await? {
            return Ok(file);
        }
        let Caller::User(principal) = caller else { return Err(LibraryError::NotFound) };
        match self.resolve(principal, wanted, Permission::Read).await? {
            Resolved::In(space) => files.get(space, wanted.name).await?.ok_or(LibraryError::NotFound),
            Resolved::NotFound => Err(LibraryError::NotFound),
            Resolved::Denied => Err(LibraryError::Denied),
        }
    }

    /// Finds the file that a name means to the caller, if it is a classic one.
    pub async fn find_classic(
        &self,
        caller: &Caller,
        wanted: Wanted<'_>,
    ) -> Result<StoredFile, LibraryError> {
        let file = self.find(caller, wanted).await?;
        if file.record()?.native.is_some() { Err(LibraryError::NotFound) } else { Ok(file) }
    }

    /// Begins to read a large file that [`find`](Self::find) found.
    pub(crate) async fn read(&self, reader: Reader, blob: &BlobRef<'_>) -> Result<Download, LibraryError> {
        let turn = self.turns.take(reader).await.ok_or(LibraryError::Busy)?;
        Ok(Download { parts: self.files()?.read(blob)?, _turn: Some(turn) })
    }

    pub(super) async fn resolve(
        &self,
        principal: &Principal,
        wanted: Wanted<'_>,
        permission: Permission,
    ) -> Result<Resolved, KmsError> {
        self.access.resolve(principal, wanted.name, wanted.owner, permission).await
    }

    /// Begins to list every name that the caller may download: own names first, then shared ones.
    pub fn list(&self, caller: &Caller) -> Result<Listing, LibraryError> {
        let shared_with = match caller {
            Caller::User(principal) => Some((principal.user_id, Arc::clone(&self.kms))),
            Caller::Anybody => None,
        };
        Ok(Listing::new(self.files()?.clone(), caller.space(), shared_with))
    }

    /// A page of the caller's own files.
    pub(crate) async fn browse(&self, caller: &Caller, browse: &Browse<'_>) -> Result<Browsed, LibraryError> {
        Ok(self.files()?.browse(caller.space(), browse).await?)
    }
}
