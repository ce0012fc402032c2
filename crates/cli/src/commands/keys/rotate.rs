//! `coffer keys rotate`: another version of a key, and all that is kept wrapped for it.

use std::time::Duration;

use coffer_api::file_keys::{KeyVersions, RotateFileKey};
use coffer_core::FileName;

use super::reencrypt;
use crate::app::{App, Session};
use crate::error::CliError;

/// How often it is looked whether everything was wrapped anew.
const LOOK: Duration = Duration::from_millis(200);

/// Arguments of `coffer keys rotate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file or the folder that the key was made for
    name: FileName,
    /// Do not wait until everything that is kept was wrapped for the new version
    #[arg(long)]
    no_wait: bool,
    /// Also seal the present content anew, here: for when somebody may have kept what opens it
    #[arg(long)]
    reencrypt: bool,
}

/// Rotates a key. Interrupted while it waits, the servers go on.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let session = app.session()?;
    let rotate = RotateFileKey { name: args.name.as_str().into(), if_version: None };
    let rotated = session.kms.rotate_file_key(&rotate).await;
    let mut versions = rotated.map_err(|err| CliError::of_file(&args.name, err))?;
    while versions.moving && !args.no_wait {
        tokio::time::sleep(LOOK).await;
        versions = look(&session, &args.name).await?;
    }
    if args.reencrypt {
        let files = reencrypt::all(&session, &args.name, app).await?;
        app.output.note(&format!("Sealed {files} files anew; what they held before are earlier versions"));
    }
    app.output.result(&versions, || {
        let moved =
            if versions.moving { "what is kept is being wrapped for it" } else { "all is wrapped for it" };
        format!("{} has version {} of its key; {moved}", args.name, versions.newest)
    })?;
    Ok(())
}

/// The versions of a key of the caller's.
async fn look(session: &Session, name: &FileName) -> Result<KeyVersions, CliError> {
    let of_file = |err| CliError::of_file(name, err);
    session.kms.file_key_versions(name.as_str()).await.map_err(of_file)
}
