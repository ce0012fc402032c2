//! `coffer kv rm`: deletes a key, for good if asked to.

use coffer_api::ErrorCode;
use coffer_api::kv::KvDeleteQuery;

use super::owner::OfOwner;
use crate::app::App;
use crate::error::CliError;
use crate::output::printable;

/// Arguments of `coffer kv rm`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The key
    key: String,
    /// Only if the key has this revision
    #[arg(long, value_name = "REVISION")]
    if_revision: Option<u64>,
    /// For good: takes it, with its history, out of the trash as well, also if it was deleted before
    #[arg(long, conflicts_with = "owner")]
    purge: bool,
    #[command(flatten)]
    owner: OfOwner,
}

/// Deletes a key.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let of_key = |err| CliError::of_key(&args.key, err);
    let query =
        KvDeleteQuery { key: args.key.clone(), owner: args.owner.name(), if_revision: args.if_revision };
    let gateway = app.gateway()?;
    let deleted = match gateway.delete(&query).await {
        // Deleted before: what is in the trash is still to go.
        Err(err) if args.purge && err.code() == Some(ErrorCode::KeyNotFound) => None,
        deleted => Some(deleted.map_err(of_key)?),
    };
    let deleted = match deleted {
        Some(deleted) if !args.purge => deleted,
        _ => gateway.purge(&args.key).await.map_err(of_key)?,
    };
    app.output.result(&deleted, || {
        let key = printable(&args.key);
        if args.purge {
            format!("Removed {key} for good")
        } else {
            format!("Deleted {key}; coffer kv restore brings it back")
        }
    })?;
    Ok(())
}
