//! What a private key opens, and the key itself: the only two ways by which anything secret leaves.
//!
//! Both record what they are about to release, and wait until that is kept, before they release it. A refusal
//! is recorded too. Whoever takes the key itself is asked of the store, every time. Who has something opened may
//! have been asked for at most a second ago ([`lately`](super::lately)); what is remembered and does not
//! open the ciphertexts is asked again, because the name may lead to another file by now.

use std::sync::Arc;

use coffer_core::{FileId, FileName, SecretBytes};
use coffer_crypto::filekey::{PrivateKey, pkcs8_der_to_pkcs1_pem};
use coffer_store::records::StoreError;

use super::lately::Question;
use super::resolve::{Found, OwnFile, Subject};
use super::uses::Use;
use super::{Caller, FileKeyError, FileKeys, Wanted};
use crate::domain::events::{Action, Event, KeyUse};
use crate::repo::files::{FileRecord, Space};

/// A private key on its way out.
#[derive(Debug)]
pub struct Exported {
    /// The file.
    pub file: FileId,
    /// The version of the key.
    pub version: u32,
    /// PEM PKCS#1.
    pub private_pem: SecretBytes,
}

impl FileKeys {
    /// The private key of a file that the caller may use.
    pub async fn export(&self, caller: &Caller, wanted: Wanted<'_>) -> Result<Exported, FileKeyError> {
        let found = self.usable(caller, wanted).await?;
        let Found { space, ref file, .. } = found;
        let version = file.settled();
        let key = self.files.key(space, file.id, version).await?;
        let pem = pkcs8_der_to_pkcs1_pem(&key.private_pkcs8).map_err(|_| broken())?;
        let key = KeyUse { file: file.id, name: wanted.name.clone(), version };
        self.record(caller, Action::FileKeyExported(key)).await?;
        self.note_use(caller, &found, Use::Exported(version)).await;
        Ok(Exported { file: file.id, version, private_pem: SecretBytes::new(pem.as_bytes().to_vec()) })
    }

    /// What `ciphertexts` hold, which were made for the key of a file that the caller may use.
    pub async fn unwrap(
        &self,
        caller: &Caller,
        wanted: Wanted<'_>,
        ciphertexts: Vec<Vec<u8>>,
    ) -> Result<Vec<SecretBytes>, FileKeyError> {
        caller.require_second_factor()?;
        let ciphertexts: Arc<[Vec<u8>]> = ciphertexts.into();
        let question = Question::of(caller, wanted);
        if let Some(found) = self.lately.get(&question, self.now()) {
            match self.open(&found, &ciphertexts).await {
                Ok(opened) => return self.release(caller, (wanted.name, &found), opened).await,
                Err(FileKeyError::Busy) => return Err(FileKeyError::Busy),
                Err(_) => {}
            }
        }
        let found = self.usable_from_now_on(caller, wanted, question).await?;
        let opened = self.open(&found, &ciphertexts).await?;
        self.release(caller, (wanted.name, &found), opened).await
    }

    /// Opens with the newest version of the key that does. Nothing tells which that is; while what is kept is wrapped anew,
    /// and for a reader who fetched it before, it may be an older one.
    async fn open(
        &self,
        found: &Found,
        ciphertexts: &Arc<[Vec<u8>]>,
    ) -> Result<(Vec<SecretBytes>, u32), FileKeyError> {
        let file = &found.file;
        let older = (file.oldest..=file.version).rev().filter(|version| *version != file.settled());
        let mut refused = None;
        for version in std::iter::once(file.settled()).chain(older) {
            let key = self.private_key(found.space, &FileRecord { version, ..file.clone() }).await?;
            match self.opener.open(key, Arc::clone(ciphertexts)).await.map_err(FileKeyError::from) {
                Ok(opened) => return Ok((opened, version)),
                Err(error @ FileKeyError::NotForThisKey(_)) => refused = refused.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or(FileKeyError::NotForThisKey(0)))
    }

    /// Records that what was opened leaves, and lets it.
    async fn release(
        &self,
        caller: &Caller,
        (name, found): (&FileName, &Found),
        (opened, version): (Vec<SecretBytes>, u32),
    ) -> Result<Vec<SecretBytes>, FileKeyError> {
        let key = KeyUse { file: found.file.id, name: name.clone(), version };
        let action = Action::FileKeyUnwrapped { key, ciphertexts: opened.len() };
        let event = Event::new(action).by_user(caller.user).from(&caller.origin);
        self.events.record_among(event, self.opener.is_crowded()).await?;
        self.note_use(caller, found, Use::Unwrapped).await;
        Ok(opened)
    }

    /// The file, if the caller may use its private key now.
    async fn usable(&self, caller: &Caller, wanted: Wanted<'_>) -> Result<Found, FileKeyError> {
        caller.require_second_factor()?;
        let subject = Subject { user: caller.user, address: caller.address };
        let resolution = self.resolve(subject, wanted, OwnFile::Ask).await?;
        let found = resolution.found();
        if found.is_err() {
            self.record(caller, Action::FileKeyRefused { name: wanted.name.clone() }).await?;
        }
        found
    }

    /// As [`usable`](Self::usable), and remembers it for a moment.
    pub(super) async fn usable_from_now_on(
        &self,
        caller: &Caller,
        wanted: Wanted<'_>,
        question: Question,
    ) -> Result<Arc<Found>, FileKeyError> {
        let before = self.lately.before();
        let found = Arc::new(self.usable(caller, wanted).await?);
        self.lately.keep(question, before, Arc::clone(&found));
        Ok(found)
    }

    /// The private half of the version of the key that `file` names.
    pub(super) async fn private_key(
        &self,
        space: Space,
        file: &FileRecord,
    ) -> Result<Arc<PrivateKey>, FileKeyError> {
        let name = (file.id, file.version);
        if let Some(key) = self.opener.key(name) {
            return Ok(key);
        }
        let stored = self.files.kept_key(space, file.id, file.version).await?;
        let stored = stored.ok_or(FileKeyError::KeyDestroyed)?;
        let key = PrivateKey::from_pkcs8_der(&stored.private_pkcs8).map_err(|_| broken())?;
        Ok(self.opener.keep(name, key))
    }
}

pub(super) fn broken() -> FileKeyError {
    StoreError::Corrupt { what: "a private key is not PKCS#8".to_owned() }.into()
}
