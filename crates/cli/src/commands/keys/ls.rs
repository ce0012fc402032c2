//! `coffer keys ls`: the caller's own keys.

use coffer_api::file_keys::{Covers, FileKeySummary, KeyVersions};

use crate::app::App;
use crate::error::CliError;
use crate::output;

/// Arguments of `coffer keys ls`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only keys of names that begin with this
    prefix: Option<String>,
}

/// Lists keys.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let mut keys = app.session()?.kms.file_keys_all().await?;
    let prefix = args.prefix.unwrap_or_default();
    keys.retain(|key| key.name.starts_with(&prefix));
    app.output.result(&keys, || table(&keys))?;
    Ok(())
}

/// The versions that are kept, for people.
pub(super) fn versions(versions: &KeyVersions) -> String {
    let KeyVersions { newest, oldest, moving, .. } = *versions;
    let kept = if oldest < newest { format!("{oldest}-{newest}") } else { newest.to_string() };
    if moving { format!("{kept} (moving)") } else { kept }
}

fn table(keys: &[FileKeySummary]) -> String {
    if keys.is_empty() {
        return "No keys. The first comes with: coffer put FILE".into();
    }
    let row = |key: &FileKeySummary| {
        let covers = match key.covers {
            Covers::File => "file",
            Covers::Folder => "folder",
        };
        let since = output::when(key.versions.since);
        vec![covers.into(), versions(&key.versions), since, key.name.clone()]
    };
    let rows: Vec<_> = keys.iter().map(row).collect();
    output::table(&["COVERS", "VERSIONS", "NEWEST SINCE", "NAME"], &rows)
}

/// The versions that are kept, in a sentence.
pub(super) fn told(of: &KeyVersions) -> String {
    if of.oldest < of.newest {
        format!("versions {} to {} of its key", of.oldest, of.newest)
    } else {
        format!("version {} of its key", of.newest)
    }
}
