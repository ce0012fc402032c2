//! `coffer ls`: the caller's own files, then those that others have shared.

use coffer_api::files::{FileItem, FilesQuery};
use coffer_api::grants::{Permission, SharedFile};
use coffer_core::Timestamp;
use serde::Serialize;

use crate::app::App;
use crate::error::CliError;
use crate::output;

/// Arguments of `coffer ls`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only names that begin with this
    prefix: Option<String>,
    /// Only your own files
    #[arg(long)]
    own: bool,
}

/// A file in the listing.
#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    owner: String,
    access: &'static str,
    /// Of the ciphertext, which is up to 16 bytes longer than the file. Not known of a shared file.
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bytes: Option<u64>,
    /// When the file was uploaded; of a shared file, when it was shared.
    created_at: Timestamp,
}

/// Lists files.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let session = app.session()?;
    let query = FilesQuery { prefix: args.prefix.clone(), ..FilesQuery::default() };
    let own = session.data.files_all(query).await?;
    let me = session.email.as_str();
    let mut entries: Vec<Entry> = own.into_iter().map(|file| own_entry(file, me)).collect();
    if !args.own {
        let prefix = args.prefix.unwrap_or_default();
        let shared = session.kms.shared_all().await?;
        entries.extend(shared.into_iter().filter(|file| file.name.starts_with(&prefix)).map(shared_entry));
    }
    app.output.result(&entries, || table(&entries))?;
    Ok(())
}

fn own_entry(file: FileItem, me: &str) -> Entry {
    Entry {
        name: file.file_name,
        owner: me.to_owned(),
        access: "owner",
        size_bytes: Some(file.size_bytes),
        created_at: file.created_at,
    }
}

fn shared_entry(file: SharedFile) -> Entry {
    let access = match file.permission {
        Permission::Read => "read",
        Permission::Write => "write",
    };
    Entry { name: file.name, owner: file.owner, access, size_bytes: None, created_at: file.granted_at }
}

fn table(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "No files. Store one with: coffer put FILE".into();
    }
    let row = |entry: &Entry| {
        vec![
            entry.access.into(),
            entry.size_bytes.map_or_else(|| "-".into(), output::size),
            output::when(entry.created_at),
            entry.owner.clone(),
            entry.name.clone(),
        ]
    };
    let rows: Vec<_> = entries.iter().map(row).collect();
    output::table(&["ACCESS", "SIZE", "SINCE", "OWNER", "NAME"], &rows)
}
