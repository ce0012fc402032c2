//! `coffer kv history`: the versions of a key that are kept.

use coffer_api::kv::{KvKeyQuery, KvMeta};

use super::owner::OfOwner;
use crate::app::App;
use crate::error::CliError;
use crate::output;

/// Arguments of `coffer kv history`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The key
    key: String,
    #[command(flatten)]
    owner: OfOwner,
}

/// Lists versions, the current one first.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let query = KvKeyQuery { key: args.key, owner: args.owner.name() };
    let history = app.gateway()?.history(&query).await.map_err(|err| CliError::of_key(&query.key, err))?;
    app.output.result(&history, || table(&history.items))?;
    Ok(())
}

fn table(versions: &[KvMeta]) -> String {
    let row = |meta: &KvMeta| {
        vec![
            meta.version.to_string(),
            meta.revision.to_string(),
            output::size(meta.size_bytes),
            output::when(meta.updated_at),
            meta.updated_by.to_string(),
            meta.content_type.clone(),
        ]
    };
    let rows: Vec<_> = versions.iter().map(row).collect();
    output::table(&["VERSION", "REVISION", "SIZE", "STORED", "BY", "TYPE"], &rows)
}
