//! Storing a file as an envelope of version 1, of any length.
//!
//! The KMS is told the hash of the envelope's prefix before anything is sent, and that all was sent after it; see
//! `proto-docs/adr/0013-the-kms-knows-the-content-of-every-version.md`.

use std::fs::Metadata;
use std::sync::Arc;

use coffer_api::file_keys::{Covers, CreateFileKey, FileKey, ShowFileKey};
use coffer_api::file_versions::{NewVersion, PublishVersions, RegisterVersions, UploadedVersion};
use coffer_api::files::StoredFile;
use coffer_api::{ErrorCode, PrefixHash};
use coffer_client::{ClientError, FileAt};
use coffer_core::{FileId, FileName, Timestamp};
use coffer_crypto::envelope::{Details, Recipient};
use coffer_crypto::filekey::PublicKey;
use serde::Serialize;

use super::{Args, open};
use crate::app::{App, Session};
use crate::error::CliError;
use crate::output;
use crate::progress::Progress;
use crate::transfer::{Sealing, Source};

/// What `--json` tells of a stored file.
#[derive(Serialize)]
struct Stored<'a> {
    name: &'a FileName,
    file_id: FileId,
    key_version: u32,
    version: u64,
    size_bytes: u64,
}

pub(super) async fn put(args: Args, name: FileName, app: &App) -> Result<(), CliError> {
    let session = app.session()?;
    // Opened first: a file that is not there should not leave a key behind.
    let (reader, metadata) = open(&args.file)?;
    let bytes = metadata.as_ref().filter(|metadata| metadata.is_file()).map(Metadata::len);
    let details =
        Details { name: Some(name.clone()), modified_at: modified(metadata.as_ref()), ..Details::default() };
    let upload = Upload { session: &session, args: &args, name: &name };
    let key = upload.key().await.map_err(|err| CliError::of_file(&name, err))?;
    if key.covers == Covers::Folder && key.name == name.as_str() {
        return Err(CliError::NameIsFolder { name });
    }

    let progress = Progress::of(app.output, name.as_str());
    let source = Source { reader, bytes, details: Arc::new(details.into()) };
    let sent = upload.send(&key, Sealing::new(Arc::clone(&app.random)), (source, &progress)).await;
    progress.finish();
    let (stored, size_bytes) = sent?;
    let (version, key_version) = (stored.version, key.version);
    let stored = Stored { name: &name, file_id: key.file_id, key_version, version, size_bytes };
    let told = if version > 1 { format!(", version {version}") } else { String::new() };
    app.output.result(&stored, || format!("Stored {name} ({}{told})", output::size(size_bytes)))?;
    Ok(())
}

/// When a file last changed, where the system knows.
fn modified(metadata: Option<&Metadata>) -> Option<Timestamp> {
    let since = metadata?.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Timestamp::from_ms)
}

/// One file on its way up.
struct Upload<'a> {
    session: &'a Session,
    args: &'a Args,
    name: &'a FileName,
}

impl Upload<'_> {
    fn owner(&self) -> Option<String> {
        self.args.owner.as_ref().map(|owner| owner.as_str().to_owned())
    }

    /// The key that the file has, or gets: in one's own name space, whatever others share.
    async fn key(&self) -> Result<FileKey, ClientError> {
        let owner = self.args.owner.as_ref().unwrap_or(&self.session.email);
        let show = ShowFileKey { name: self.name.as_str().into(), owner: Some(owner.as_str().into()) };
        match self.session.kms.show_file_key(&show).await {
            Err(err) if err.code() == Some(ErrorCode::FileKeyNotFound) && self.args.owner.is_none() => {
                let create = CreateFileKey { name: self.name.as_str().into(), covers: Covers::File };
                self.session.kms.create_file_key(&create).await
            }
            answer => answer,
        }
    }

    async fn send(
        &self,
        key: &FileKey,
        sealing: Result<Sealing, coffer_crypto::envelope::Refusal>,
        (source, progress): (Source, &Progress),
    ) -> Result<(StoredFile, u64), CliError> {
        let of_file = |err| CliError::of_file(self.name, err);
        let refused = |refusal| CliError::Envelope { name: self.name.clone(), refusal };
        let public = PublicKey::from_pem(&key.public_key_pem).map_err(CliError::PublicKey)?;
        let sealing = sealing.map_err(refused)?;
        let version = self.register(PrefixHash::from_bytes(sealing.prefix_hash())).await.map_err(of_file)?;
        let recipient = Recipient { file_key: key.file_id, version: key.version, key: &public };
        let (stream, sealed) = sealing.start(recipient, source, progress.report()).map_err(refused)?;
        let owner = self.owner();
        let file = FileAt {
            owner: owner.as_deref(),
            if_none_match: self.args.no_replace.then_some("*"),
            ..FileAt::own(self.name.as_str())
        };
        let stored = self.session.data.put_file(file, version, (None, stream)).await;
        let size_bytes = match sealed.await.map_err(CliError::task)? {
            Ok(bytes) => bytes,
            // Nobody took what was sealed: the upload failed, and says why.
            Err(source) if source.kind() == std::io::ErrorKind::BrokenPipe => 0,
            Err(source) => return Err(CliError::ReadFile { path: self.args.file.clone(), source }),
        };
        let stored = stored.map_err(of_file)?;
        self.publish(version).await.map_err(of_file)?;
        Ok((stored, size_bytes))
    }

    async fn register(&self, prefix_hash: PrefixHash) -> Result<u64, ClientError> {
        let items = vec![NewVersion { name: self.name.as_str().into(), prefix_hash }];
        let body = RegisterVersions { owner: self.owner(), items };
        let registered = self.session.kms.register_versions(&body).await?;
        // One was asked for; an answer without it is no answer.
        Ok(registered.items.first().map_or(0, |one| one.version))
    }

    async fn publish(&self, version: u64) -> Result<(), ClientError> {
        let items = vec![UploadedVersion { name: self.name.as_str().into(), version }];
        let body = PublishVersions { owner: self.owner(), items };
        self.session.kms.publish_versions(&body).await.map(drop)
    }
}
