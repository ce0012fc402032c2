//! `coffer keys rotate --reencrypt`: present content is sealed anew, under content keys that nobody has seen.
//!
//! Rotation wraps the content keys that there are. Who has kept one opens that content for ever; so each file is fetched,
//! opened and sealed here once more, and stored as its next version. The versions before stay as long as versions are kept.

use std::sync::Arc;

use coffer_api::file_keys::{Covers, ShowFileKey};
use coffer_api::file_versions::{NewVersion, PublishVersions, RegisterVersions, UploadedVersion};
use coffer_api::files::FilesQuery;
use coffer_api::{ErrorCode, PrefixHash};
use coffer_client::{ClientError, FileAt};
use coffer_core::FileName;
use coffer_crypto::envelope::{Recipient, Refusal};
use coffer_crypto::filekey::PublicKey;

use crate::app::{App, Session};
use crate::error::CliError;
use crate::progress::Progress;
use crate::transfer::{Arriving, Named, OpenError, Sealing, Seen, Source};

/// How often it is tried while the file is replaced, or wrapped anew.
const TRIES_MAX: u32 = 4;

/// Seals a file, or all in a folder, anew; says how many.
pub(super) async fn all(session: &Session, name: &FileName, app: &App) -> Result<usize, CliError> {
    let of_file = |err| CliError::of_file(name, err);
    let owner = Some(session.email.as_str().to_owned());
    let show = ShowFileKey { name: name.as_str().into(), owner };
    let covers = match session.kms.show_file_key(&show).await {
        Ok(key) if key.name == name.as_str() => key.covers,
        // A folder is no file that could be shown.
        Ok(_) => Covers::Folder,
        Err(err) if err.code() == Some(ErrorCode::FileKeyNotFound) => Covers::Folder,
        Err(err) => return Err(of_file(err)),
    };
    if covers == Covers::File {
        one(session, name, app).await?;
        return Ok(1);
    }
    let query = FilesQuery { prefix: Some(format!("{name}/")), ..FilesQuery::default() };
    let mut sealed = 0;
    for file in session.data.files_all(query).await?.into_iter().filter(|file| file.version.is_some()) {
        let Ok(name) = file.file_name.parse() else { continue };
        one(session, &name, app).await?;
        sealed += 1;
    }
    Ok(sealed)
}

async fn one(session: &Session, name: &FileName, app: &App) -> Result<(), CliError> {
    let progress = Progress::of(app.output, name.as_str());
    let mut outcome = try_one(session, (name, app), &progress).await;
    for _ in 1..TRIES_MAX {
        let code = outcome.as_ref().err().and_then(CliError::code);
        if !matches!(
            code,
            Some(ErrorCode::VersionOutdated | ErrorCode::KeyVersionDestroyed | ErrorCode::FileChanged)
        ) {
            break;
        }
        outcome = try_one(session, (name, app), &progress).await;
    }
    progress.finish();
    outcome
}

async fn try_one(
    session: &Session,
    (name, app): (&FileName, &App),
    progress: &Progress,
) -> Result<(), CliError> {
    let of_file = |err: ClientError| CliError::of_file(name, err);
    let refused = |refusal: Refusal| CliError::Envelope { name: name.clone(), refusal };
    let named = Named { name, owner: None, version: None };
    let download = session.data.get_file(named.at(), None, None).await.map_err(of_file)?;
    let (told, length) = (download.head.clone(), download.length);
    let arriving = Arriving::new(length, download.into_stream()).await.map_err(|err| match err {
        OpenError::Client(err) => of_file(err),
        OpenError::Refused(refusal) => refused(refusal),
        OpenError::Target(err) => err.into(),
        OpenError::Task(err) => CliError::task(err),
    })?;
    let seen = Seen { told, head: arriving.head.clone() };
    let content = named.content_key(session, &seen).await?;
    let (reader, details) = arriving.through(&content).map_err(refused)?;

    let show = ShowFileKey { name: name.as_str().into(), owner: Some(session.email.as_str().into()) };
    let key = session.kms.show_file_key(&show).await.map_err(of_file)?;
    let public = PublicKey::from_pem(&key.public_key_pem).map_err(CliError::PublicKey)?;
    let sealing = Sealing::new(Arc::clone(&app.random)).map_err(refused)?;
    let prefix_hash = PrefixHash::from_bytes(sealing.prefix_hash());
    let items = vec![NewVersion { name: name.as_str().into(), prefix_hash }];
    let registered = session.kms.register_versions(&RegisterVersions { owner: None, items }).await;
    // One was asked for; an answer without it is no answer.
    let version = registered.map_err(of_file)?.items.first().map_or(0, |one| one.version);
    let recipient = Recipient { file_key: key.file_id, version: key.version, key: &public };
    let source = Source { reader: Box::new(reader), bytes: Some(length), details };
    let (stream, sealed) = sealing.start(recipient, source, progress.report()).map_err(refused)?;
    // Nothing that somebody stored meanwhile is replaced by what was there before.
    let file = FileAt { if_match: Some(&seen.told.etag), ..FileAt::own(name.as_str()) };
    let stored = session.data.put_file(file, version, (None, stream)).await;
    match sealed.await.map_err(CliError::task)? {
        Ok(_) => {}
        // Nobody took what was sealed: the upload failed, and says why.
        Err(err) if err.kind() == std::io::ErrorKind::BrokenPipe => {}
        Err(_) => return Err(CliError::Damaged { name: name.clone() }),
    }
    stored.map_err(of_file)?;
    let items = vec![UploadedVersion { name: name.as_str().into(), version }];
    let publish = PublishVersions { owner: None, items };
    session.kms.publish_versions(&publish).await.map(drop).map_err(of_file)
}
