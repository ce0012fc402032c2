//! Wrapping what is kept for a file key's current version.
//!
//! The KMS reads a head from the data service, opens the content key with the version that it is wrapped for, and wraps it
//! for the current one. The content key stays here. Only what was registered is wrapped, so the data service cannot have
//! another file's content key wrapped for somebody who may open this file.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_api::internal::heads::{HeadBytes, KeptHead, NewlyWrapped};
use coffer_crypto::envelope::{ContentKey, Head, Recipient, Stanza, StanzaSection};
use coffer_crypto::equal;
use coffer_crypto::filekey::PublicKey;

use super::release::broken;
use super::{FileKeyError, FileKeys};
use crate::repo::files::{ContentKey as ContentOf, FileRecord, Space};

/// Stanzas that an envelope may have beside the new one.
const OTHERS_MAX: usize = coffer_crypto::envelope::STANZAS_MAX - 1;

/// A file key and the public half of its current version.
pub(super) struct Target {
    pub(super) space: Space,
    pub(super) file: FileRecord,
    pub(super) public: PublicKey,
}

impl Target {
    /// The stanzas of an envelope, with one for the current version in the place of those for the versions before.
    fn section(&self, head: &Head, content: &ContentKey) -> Option<StanzaSection> {
        head.stanzas.verify(content, &head.prefix).ok()?;
        let file = &self.file;
        let recipient = Recipient { file_key: file.id, version: file.version, key: &self.public };
        let others = head.stanzas.stanzas().iter().filter(|stanza| stanza.file_key != file.id);
        let mut stanzas = vec![Stanza::wrap(content, recipient)];
        stanzas.extend(others.take(OTHERS_MAX).cloned());
        StanzaSection::seal(content, &head.prefix, stanzas).ok()
    }
}

/// What becomes of a head.
pub(super) enum Rewrapped {
    /// This takes its place.
    Anew(NewlyWrapped),
    /// It is for the current version already, or nothing that anybody could open.
    Nothing,
    /// It is not what was sealed, or not for a version that is kept.
    Broken,
}

impl FileKeys {
    /// The key as something to wrap for.
    pub(super) async fn target(&self, space: Space, file: FileRecord) -> Result<Target, FileKeyError> {
        let key = self.files.key(space, file.id, file.version).await?;
        let public = PublicKey::from_pem(&key.public_pem).map_err(|_| broken())?;
        Ok(Target { space, file, public })
    }

    pub(super) async fn rewrap(&self, target: &Target, kept: &KeptHead) -> Result<Rewrapped, FileKeyError> {
        match &kept.head {
            HeadBytes::Envelope { version, head } => {
                let Some(head) = STANDARD.decode(head).ok().and_then(|head| Head::parse(&head).ok()) else {
                    return Ok(Rewrapped::Broken);
                };
                let key = ContentOf { file: target.file.id, name: &kept.file_name };
                let (registered, _) = self.files.content(target.space, key, *version).await?;
                // Nobody can open it as this version, and that will not change.
                let is_registered = registered
                    .is_some_and(|content| equal(content.prefix_hash.as_bytes(), &head.prefix.hash()));
                if !is_registered {
                    return Ok(Rewrapped::Nothing);
                }
                self.rewrap_envelope(target, &head).await
            }
            HeadBytes::Classic { wrapped_key, wrapped_vector } => {
                let decode = |text: &str| STANDARD.decode(text).ok();
                match decode(wrapped_key).zip(decode(wrapped_vector)) {
                    Some((key, vector)) => self.rewrap_classic(target, [key, vector]).await,
                    None => Ok(Rewrapped::Broken),
                }
            }
        }
    }

    async fn rewrap_envelope(&self, target: &Target, head: &Head) -> Result<Rewrapped, FileKeyError> {
        let file = &target.file;
        let is_of_this = |stanza: &&Stanza| stanza.file_key == file.id;
        let newest = head.stanzas.stanzas().iter().filter(is_of_this).max_by_key(|stanza| stanza.version);
        let Some(newest) = newest.filter(|stanza| stanza.version < file.version) else {
            return Ok(Rewrapped::Nothing);
        };
        if newest.version < file.oldest {
            return Ok(Rewrapped::Broken);
        }
        let Some([content]) = self.open_with(target, newest.version, [newest.wrapped.clone()]).await? else {
            return Ok(Rewrapped::Broken);
        };
        let Ok(content) = ContentKey::from_bytes(content.expose()) else { return Ok(Rewrapped::Broken) };
        Ok(match target.section(head, &content) {
            Some(section) => Rewrapped::Anew(NewlyWrapped::Stanzas(STANDARD.encode(section.as_bytes()))),
            None => Rewrapped::Broken,
        })
    }

    /// A classic file does not tell which version it is for: the newest that opens it.
    async fn rewrap_classic(
        &self,
        target: &Target,
        wrapped: [Vec<u8>; 2],
    ) -> Result<Rewrapped, FileKeyError> {
        let file = &target.file;
        for version in (file.oldest..=file.version).rev() {
            let Some([key, vector]) = self.open_with(target, version, wrapped.clone()).await? else {
                continue;
            };
            if version == file.version {
                return Ok(Rewrapped::Nothing);
            }
            let seal = |plain: &[u8]| target.public.seal_oaep_sha256(plain).ok();
            return Ok(match seal(key.expose()).zip(seal(vector.expose())) {
                Some((key, vector)) => Rewrapped::Anew(NewlyWrapped::Classic {
                    wrapped_key: STANDARD.encode(key),
                    wrapped_vector: STANDARD.encode(vector),
                }),
                None => Rewrapped::Broken,
            });
        }
        Ok(Rewrapped::Broken)
    }

    /// What these hold, if they are for this version.
    async fn open_with<const N: usize>(
        &self,
        target: &Target,
        version: u32,
        wrapped: [Vec<u8>; N],
    ) -> Result<Option<[coffer_core::SecretBytes; N]>, FileKeyError> {
        let file = FileRecord { version, ..target.file.clone() };
        let key = self.private_key(target.space, &file).await?;
        match self.opener.open(key, Arc::new(wrapped)).await.map_err(FileKeyError::from) {
            Ok(opened) => Ok(opened.try_into().ok()),
            Err(FileKeyError::NotForThisKey(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
