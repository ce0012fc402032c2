//! What a private key opens, and the key itself: the only two ways by which anything secret leaves.
//!
//! Both ask the store, every time, whether the caller may use the key; both record what they are about
//! to release, and wait until that is kept, before they release it. A refusal is recorded too.

use std::sync::Arc;

use coffer_core::{FileId, SecretBytes};
use coffer_crypto::filekey::{PrivateKey, pkcs8_der_to_pkcs1_pem};
use coffer_store::records::StoreError;

use super::resolve::{Found, OwnFile, Subject};
use super::{Caller, FileKeyError, FileKeys, Wanted};
use crate::domain::events::{Action, KeyUse};

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
        let Found { space, file, .. } = self.usable(caller, wanted).await?;
        let key = self.files.key(space, file.id, file.version).await?;
        let pem = pkcs8_der_to_pkcs1_pem(&key.private_pkcs8).map_err(|_| broken())?;
        let key = KeyUse { file: file.id, name: wanted.name.clone(), version: file.version };
        self.record(caller, Action::FileKeyExported(key)).await?;
        Ok(Exported {
            file: file.id,
            version: file.version,
            private_pem: SecretBytes::new(pem.as_bytes().to_vec()),
        })
    }

    /// What `ciphertexts` hold, which were made for the key of a file that the caller may use.
    pub async fn unwrap(
        &self,
        caller: &Caller,
        wanted: Wanted<'_>,
        ciphertexts: Vec<Vec<u8>>,
    ) -> Result<Vec<SecretBytes>, FileKeyError> {
        let found = self.usable(caller, wanted).await?;
        let key = self.private_key(&found).await?;
        let (key_use, count) = (
            KeyUse { file: found.file.id, name: wanted.name.clone(), version: found.file.version },
            ciphertexts.len(),
        );
        let opened = self.opener.open(key, ciphertexts).await?;
        self.record(caller, Action::FileKeyUnwrapped { key: key_use, ciphertexts: count }).await?;
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

    async fn private_key(&self, found: &Found) -> Result<Arc<PrivateKey>, FileKeyError> {
        let name = (found.file.id, found.file.version);
        if let Some(key) = self.opener.key(name) {
            return Ok(key);
        }
        let stored = self.files.key(found.space, found.file.id, found.file.version).await?;
        let key = PrivateKey::from_pkcs8_der(&stored.private_pkcs8).map_err(|_| broken())?;
        Ok(self.opener.keep(name, key))
    }
}

fn broken() -> FileKeyError {
    StoreError::Corrupt { what: "a private key is not PKCS#8".to_owned() }.into()
}
