//! Storing a file as a classic envelope, which the original clients read.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use coffer_api::file_keys::{Covers, CreateFileKey};
use coffer_client::Envelope;
use coffer_core::{FileId, FileName, Random};
use coffer_crypto::classic;
use coffer_crypto::filekey::PublicKey;
use serde::Serialize;
use zeroize::Zeroizing;

use super::{Args, open};
use crate::app::App;
use crate::error::CliError;
use crate::output;
use crate::progress::Progress;

/// A classic envelope is made in memory, so this is as much as a file may have; the data service's own
/// limit is lower.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// What `--json` tells of a stored file.
#[derive(Serialize)]
struct Stored<'a> {
    name: &'a FileName,
    file_id: FileId,
    key_version: u32,
    size_bytes: usize,
}

/// Stores a file. The server is asked for the key before the file is read: a name that is taken is
/// refused before any work is done.
pub(super) async fn put(args: Args, name: FileName, app: &App) -> Result<(), CliError> {
    let session = app.session()?;
    let of_file = |err| CliError::of_file(&name, err);
    // Opened first: a file that is not there should not leave a key behind.
    let (source, _) = open(&args.file)?;
    let create = CreateFileKey { name: name.as_str().into(), covers: Covers::File };
    let key = session.kms.create_file_key(&create).await.map_err(of_file)?;
    let public = PublicKey::from_pem(&key.public_key_pem).map_err(CliError::PublicKey)?;

    let random = Arc::clone(&app.random);
    let path = args.file;
    let sealed = tokio::task::spawn_blocking(move || seal(source, &path, &*random, &public)).await;
    let (size_bytes, envelope) = sealed.map_err(CliError::task)??;

    let progress = Progress::of(app.output, name.as_str());
    let stored = session.data.upload(name.as_str(), &envelope, progress.report()).await;
    progress.finish();
    stored.map_err(of_file)?;
    let stored = Stored { name: &name, file_id: key.file_id, key_version: key.version, size_bytes };
    app.output.result(&stored, || format!("Stored {name} ({})", output::size(size_bytes as u64)))?;
    Ok(())
}

fn seal(
    source: Box<dyn Read + Send>,
    path: &Path,
    random: &dyn Random,
    public: &PublicKey,
) -> Result<(usize, Envelope), CliError> {
    // Room for the whole file at once: a buffer that grows leaves copies of the plaintext behind.
    let expected = std::fs::metadata(path).map_or(0, |metadata| metadata.len().min(FILE_BYTES_MAX));
    let room = usize::try_from(expected + 1).unwrap_or(0);
    let mut plaintext = Zeroizing::new(Vec::with_capacity(room));
    let failed = |source| CliError::ReadFile { path: path.into(), source };
    source.take(FILE_BYTES_MAX + 1).read_to_end(&mut plaintext).map_err(failed)?;
    if plaintext.len() as u64 > FILE_BYTES_MAX {
        return Err(CliError::FileTooLarge { path: path.into(), bytes_max: FILE_BYTES_MAX });
    }
    let sealed = classic::seal(random, public, &plaintext);
    let envelope = Envelope {
        encrypted_data: sealed.encrypted_data.into(),
        encrypted_key: sealed.encrypted_key,
        encrypted_iv: sealed.encrypted_iv,
    };
    Ok((plaintext.len(), envelope))
}
