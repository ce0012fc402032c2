//! `coffer kv put`: stores a value.

use coffer_api::kv::KvPutQuery;

use super::owner::OfOwner;
use super::value::{self, Kind, ValueFrom};
use crate::app::App;
use crate::error::CliError;
use crate::expiry;
use crate::output::{self, printable};

/// Arguments of `coffer kv put`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The key: any text of at most 1024 bytes
    key: String,
    /// The value: - reads standard input and @FILE a file, every byte of it (also a line end). An argument can be
    /// seen by other users of this machine: give a secret through -, or leave VALUE out to be asked for it.
    /// A value that is itself - or begins with @ goes through -
    #[arg(allow_negative_numbers = true)]
    value: Option<ValueFrom>,
    /// What the value is: json, text, bytes or a media type; an argument is text and everything else bytes if not
    /// given. Versions that are JSON can be compared field by field
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<Kind>,
    /// When the key is gone: 30m, 12h, 7d, 2w, 2026-12-31 (at the end of that day, UTC) or an RFC 3339 time
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// Only if the key has this revision, so that nobody's change is lost
    #[arg(long, value_name = "REVISION", conflicts_with = "if_absent")]
    if_revision: Option<u64>,
    /// Only if there is no such key
    #[arg(long)]
    if_absent: bool,
    /// Store it as long as it is; otherwise it is compressed if that makes it shorter
    #[arg(long)]
    no_compress: bool,
    /// Record that encryption was not asked for; the value is sealed all the same
    #[arg(long)]
    no_encrypt: bool,
    #[command(flatten)]
    owner: OfOwner,
}

/// Stores a value.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let expires_at = args.expires.map(|text| expiry::parse(&text, app.clock.now())).transpose()?;
    let gateway = app.gateway()?;
    let value = value::read(args.value, args.kind)?;
    let query = KvPutQuery {
        owner: args.owner.name(),
        expires_at,
        encrypt: !args.no_encrypt,
        compress: !args.no_compress,
        if_revision: args.if_revision,
        if_absent: args.if_absent,
        ..KvPutQuery::new(args.key.as_str())
    };
    let stored = gateway.put(&query, &value.content_type, value.bytes.into()).await;
    let meta = stored.map_err(|err| CliError::of_key(&args.key, err))?;
    app.output.result(&meta, || {
        let (key, size) = (printable(&meta.key), output::size(meta.size_bytes));
        format!("Stored {key} ({size}), version {}, revision {}", meta.version, meta.revision)
    })?;
    Ok(())
}
