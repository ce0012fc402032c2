//! `coffer kv restore`: an earlier version becomes the next one, or a deleted key comes back.

use coffer_api::kv::KvRestore;

use super::owner::Owner;
use crate::app::App;
use crate::error::CliError;
use crate::output::printable;

/// Arguments of `coffer kv restore`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The key
    key: String,
    /// Store this version anew; without it, the key comes back from the trash
    #[arg(long, value_name = "N")]
    version: Option<u64>,
    /// Only if the key has this revision
    #[arg(long, value_name = "REVISION", requires = "version")]
    if_revision: Option<u64>,
    /// Whose key, by e-mail address or id; only you can bring keys of yours back from the trash
    #[arg(long, value_name = "WHO", requires = "version")]
    owner: Option<Owner>,
}

/// Restores a value.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let gateway = app.gateway()?;
    let restored = match args.version {
        Some(version) => {
            let owner = args.owner.map(Owner::into_name);
            let restore = KvRestore { key: args.key.clone(), version, owner, if_revision: args.if_revision };
            gateway.restore(&restore).await
        }
        None => gateway.restore_from_trash(&args.key).await,
    };
    let meta = restored.map_err(|err| CliError::of_key(&args.key, err))?;
    app.output.result(&meta, || {
        let key = printable(&meta.key);
        match args.version {
            Some(earlier) => format!("Restored version {earlier} of {key} as version {}", meta.version),
            None => format!("Restored {key} from the trash, version {}", meta.version),
        }
    })?;
    Ok(())
}
