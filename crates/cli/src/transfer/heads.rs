//! The head of an envelope, and what the KMS says of it: enough to read a range, or to have a copy made.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use coffer_api::PrefixHash;
use coffer_api::file_versions::{OpenVersions, SealedVersion};
use coffer_client::{FileAt, FileHead};
use coffer_core::{EmailAddress, FileName};
use coffer_crypto::envelope::{ContentKey, Head, Refusal, Stanza};
use futures_util::TryStreamExt as _;
use zeroize::Zeroizing;

use crate::app::Session;
use crate::error::CliError;

/// No head is longer.
const HEAD_BYTES_MAX: u64 = 16 * 1024;

/// A file as a command names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    pub(crate) name: &'a FileName,
    pub(crate) owner: Option<&'a EmailAddress>,
    /// Which version; the present one if not given.
    pub(crate) version: Option<u64>,
}

/// A version of a file whose head is here.
pub(crate) struct Seen {
    /// What the data service told of it.
    pub(crate) told: FileHead,
    pub(crate) head: Head,
}

impl<'a> Named<'a> {
    pub(crate) fn owner_text(&self) -> Option<String> {
        self.owner.map(|owner| owner.as_str().to_owned())
    }

    /// The file at the data service.
    pub(crate) fn at(&self) -> FileAt<'a> {
        FileAt { owner: self.owner.map(EmailAddress::as_str), ..FileAt::own(self.name.as_str()) }
    }

    fn refused(&self, refusal: Refusal) -> CliError {
        CliError::Envelope { name: self.name.clone(), refusal }
    }

    /// Fetches the head.
    pub(crate) async fn see(&self, session: &Session) -> Result<Seen, CliError> {
        let of_file = |err| CliError::of_file(self.name, err);
        let range = Some(0..HEAD_BYTES_MAX);
        let download = session.data.get_file(self.at(), self.version, range).await.map_err(of_file)?;
        let told = download.head.clone();
        let pieces: Vec<Bytes> = download.into_stream().try_collect().await.map_err(of_file)?;
        let bytes = pieces.concat();
        if self.version.is_some_and(|wanted| wanted != told.version) {
            return Err(CliError::Damaged { name: self.name.clone() });
        }
        let length = bytes.first_chunk().map(Head::length).ok_or(Refusal::Truncated).flatten();
        let head = bytes.get(..length.map_err(|refusal| self.refused(refusal))?).ok_or(Refusal::Truncated);
        let head = head.and_then(Head::parse).map_err(|refusal| self.refused(refusal))?;
        Ok(Seen { told, head })
    }

    /// The stanza for the newest version of the file key: those for older ones stay until they are replaced.
    pub(crate) fn newest<'s>(&self, seen: &'s Seen) -> Result<&'s Stanza, CliError> {
        let newest = seen.head.stanzas.stanzas().iter().max_by_key(|stanza| stanza.version);
        newest.ok_or_else(|| self.refused(Refusal::StanzaCount(0)))
    }

    /// The content key, if the KMS knows this content as this version.
    pub(crate) async fn content_key(&self, session: &Session, seen: &Seen) -> Result<ContentKey, CliError> {
        let stanza = self.newest(seen)?;
        let item = SealedVersion {
            name: self.name.as_str().into(),
            version: seen.told.version,
            present: self.version.is_none(),
            prefix_hash: PrefixHash::from_bytes(seen.head.prefix.hash()),
            key_version: stanza.version,
            wrapped: BASE64.encode(&stanza.wrapped),
        };
        let body = OpenVersions { owner: self.owner_text(), items: vec![item] };
        let opened =
            session.kms.open_versions(&body).await.map_err(|err| CliError::of_file(self.name, err))?;
        let damaged = || CliError::Damaged { name: self.name.clone() };
        let opened = opened.items.first().ok_or_else(damaged)?;
        let key = BASE64.decode(opened.content_key.expose()).map(Zeroizing::new).map_err(|_| damaged())?;
        ContentKey::from_bytes(&key).map_err(|refusal| self.refused(refusal))
    }
}
