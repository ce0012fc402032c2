//! Somebody who stores and reads files as a client should: with a key of the KMS, registered, published and opened there.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coffer_api::file_copies::{CopyFile, MoveFile, RegisterCopy, RegisteredCopy};
use coffer_api::file_keys::{Covers, CreateFileKey, FileKey, ShowFileKey};
use coffer_api::file_versions::{
    NewVersion, OpenVersions, PublishVersions, RegisterVersions, SealedVersion, UploadedVersion,
};
use coffer_api::{ErrorCode, PrefixHash};
use coffer_client::{ClientError, DataClient, FileAt, KmsClient};
use coffer_core::{Random as _, SeededRandom, SystemRandom};
use coffer_crypto::envelope::{ContentKey, Details, Head, Opener, Options, Recipient, Sealer};
use coffer_crypto::filekey::PublicKey;
use coffer_tests::{Stack, User};
use futures_util::TryStreamExt as _;

use super::{client, get, streamed};

/// How often a file is read anew that is replaced, or whose key is rotated, just then: as the command line does.
const TRIES_MAX: usize = 4;

/// A user at one process of each service.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) kms: KmsClient,
    pub(super) data: DataClient,
    pub(super) email: String,
}

/// What was read of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// The version of its content.
    pub(super) version: u64,
    /// The version of the file key that it is wrapped for.
    pub(super) key_version: u32,
    pub(super) plaintext: Vec<u8>,
}

impl Person {
    pub(super) fn at(stack: &Stack, user: &User, number: usize) -> Self {
        let token = Arc::new(user.sid.clone().into());
        let kms = KmsClient::new(&stack.kms[number].url, Some(token)).expect("the URL is valid");
        Self { kms, data: client(&stack.data[number].url, user), email: user.email.clone() }
    }

    /// The key that a file of one's own has, or gets.
    pub(super) async fn key(&self, name: &str) -> Result<FileKey, ClientError> {
        let show = ShowFileKey { name: name.into(), owner: Some(self.email.clone()) };
        match self.kms.show_file_key(&show).await {
            Err(err) if err.code() == Some(ErrorCode::FileKeyNotFound) => {
                self.kms.create_file_key(&CreateFileKey { name: name.into(), covers: Covers::File }).await
            }
            answer => answer,
        }
    }

    /// Stores a file, as the next version; says which.
    pub(super) async fn put(&self, name: &str, plaintext: &[u8]) -> Result<u64, ClientError> {
        let key = self.key(name).await?;
        self.put_for(&key, name, plaintext).await
    }

    /// As [`put`](Self::put), for a key that was asked for before.
    pub(super) async fn put_for(
        &self,
        key: &FileKey,
        name: &str,
        plaintext: &[u8],
    ) -> Result<u64, ClientError> {
        let public = PublicKey::from_pem(&key.public_key_pem).expect("the KMS makes keys");
        let mut sealer = Sealer::new(&SystemRandom, Options::default()).expect("the options are valid");
        let prefix_hash = PrefixHash::from_bytes(sealer.prefix().hash());
        let recipient = Recipient { file_key: key.file_id, version: key.version, key: &public };
        let mut bytes = sealer.head(&[recipient]).expect("one recipient is fine").to_bytes();
        sealer.push(plaintext, &mut bytes).expect("there are not too many frames");
        sealer.finish(Details::default(), &SystemRandom, &mut bytes).expect("there are not too many frames");
        let items = vec![NewVersion { name: name.into(), prefix_hash }];
        let registered = self.kms.register_versions(&RegisterVersions { owner: None, items }).await?;
        let version = registered.items[0].version;
        self.data.put_file(FileAt::own(name), version, (None, streamed(&bytes))).await?;
        self.publish(name, version).await
    }

    /// Reads a file, or a version of it.
    pub(super) async fn read(&self, name: &str, wanted: Option<u64>) -> Result<Read, ClientError> {
        for _ in 1..TRIES_MAX {
            match self.try_read(name, wanted).await {
                Err(err)
                    if matches!(
                        err.code(),
                        Some(ErrorCode::VersionOutdated | ErrorCode::KeyVersionDestroyed)
                    ) => {}
                outcome => return outcome,
            }
        }
        self.try_read(name, wanted).await
    }

    async fn try_read(&self, name: &str, wanted: Option<u64>) -> Result<Read, ClientError> {
        let (version, bytes) = get(&self.data, name, wanted).await?;
        let (content, key_version) = self.content_key(name, (version, wanted.is_none()), &bytes).await?;
        let head = head_of(&bytes);
        let mut opener = Opener::new(&head, &content).expect("the head is genuine");
        let mut plaintext = Vec::new();
        opener.push(&bytes[head.to_bytes().len()..], &mut plaintext).expect("the content is genuine");
        opener.finish().expect("it is whole");
        Ok(Read { version, key_version, plaintext })
    }

    /// Copies a version of a file of one's own, or of somebody else's who shares it, as the command line does.
    pub(super) async fn copy(
        &self,
        (from, owner, version): (&str, Option<&str>, Option<u64>),
        to: &str,
    ) -> Result<u64, ClientError> {
        let at = FileAt { owner, ..FileAt::own(from) };
        let (seen, registered) = self.register_copy((at, version), to).await?;
        let copy = CopyFile {
            from: from.into(),
            from_owner: owner.map(Into::into),
            from_version: seen,
            to: to.into(),
            to_owner: None,
            version: registered.version,
            stanzas: registered.stanzas,
        };
        self.data.copy_file(&copy, FileAt::default()).await?;
        self.publish(to, registered.version).await
    }

    /// Moves a file of one's own, as the command line does.
    pub(super) async fn rename(&self, from: &str, to: &str) -> Result<u64, ClientError> {
        let (seen, registered) = self.register_copy((FileAt::own(from), None), to).await?;
        let body = MoveFile {
            from: from.into(),
            from_version: seen,
            to: to.into(),
            owner: None,
            version: registered.version,
            stanzas: registered.stanzas,
        };
        self.data.move_file(&body, FileAt::default()).await?;
        self.publish(to, registered.version).await
    }

    async fn register_copy(
        &self,
        (at, version): (FileAt<'_>, Option<u64>),
        to: &str,
    ) -> Result<(u64, RegisteredCopy), ClientError> {
        let download = self.data.get_file(at, version, Some(0..16_384)).await?;
        let seen = download.head.version;
        let pieces: Vec<bytes::Bytes> = download.into_stream().try_collect().await?;
        let head = head_of(&pieces.concat());
        let stanza = head.stanzas.stanzas().iter().max_by_key(|stanza| stanza.version).expect("there is one");
        self.key(to).await?;
        let copy = RegisterCopy {
            from: at.name.into(),
            from_owner: at.owner.map(Into::into),
            version: seen,
            present: version.is_none(),
            prefix: BASE64.encode(head.prefix.as_bytes()),
            key_version: stanza.version,
            wrapped: BASE64.encode(&stanza.wrapped),
            to: to.into(),
            to_owner: None,
        };
        Ok((seen, self.kms.register_copy(&copy).await?))
    }

    async fn publish(&self, name: &str, version: u64) -> Result<u64, ClientError> {
        let items = vec![UploadedVersion { name: name.into(), version }];
        self.kms.publish_versions(&PublishVersions { owner: None, items }).await?;
        Ok(version)
    }

    /// What opens this envelope, and for which version of the file key it was wrapped.
    pub(super) async fn content_key(
        &self,
        name: &str,
        (version, present): (u64, bool),
        bytes: &[u8],
    ) -> Result<(ContentKey, u32), ClientError> {
        let head = head_of(bytes);
        let stanza = head.stanzas.stanzas().iter().max_by_key(|stanza| stanza.version).expect("there is one");
        let item = SealedVersion {
            name: name.into(),
            version,
            present,
            prefix_hash: PrefixHash::from_bytes(head.prefix.hash()),
            key_version: stanza.version,
            wrapped: BASE64.encode(&stanza.wrapped),
        };
        let opened = self.kms.open_versions(&OpenVersions { owner: None, items: vec![item] }).await?;
        let key = BASE64.decode(opened.items[0].content_key.expose()).expect("it is base64");
        Ok((ContentKey::from_bytes(&key).expect("it is a content key"), stanza.version))
    }
}

/// Bytes that nothing makes shorter: more than a record holds goes to the blob store.
pub(super) fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    SeededRandom::new(seed).fill(&mut noise);
    noise
}

fn head_of(bytes: &[u8]) -> Head {
    let length = Head::length(bytes.first_chunk().expect("it is no fragment")).expect("it is an envelope");
    Head::parse(&bytes[..length]).expect("the head is whole")
}
