//! `coffer config rollback`: stores an earlier version anew, as the next one.

use coffer_api::configs::ConfigRollback;
use coffer_client::ConfigsClient;

use super::place::{Place, shown};
use crate::app::App;
use crate::error::CliError;

/// Arguments of `coffer config rollback`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// The version whose value and category come back
    version: u64,
    /// Only if the configuration has this version now
    #[arg(long, value_name = "N")]
    if_version: Option<u64>,
}

/// Rolls back.
pub(crate) async fn run(args: Args, configs: &ConfigsClient, app: &App) -> Result<(), CliError> {
    let named = args.place.query();
    let order = ConfigRollback {
        key: named.key,
        environment: named.environment,
        version: args.version,
        if_version: args.if_version,
    };
    let meta = configs.roll_back(&order).await.map_err(|err| CliError::of_config(&order.key, err))?;
    app.output.result(&meta, || {
        format!("Stored version {} of {} again, as version {}", args.version, shown(&meta), meta.version)
    })?;
    Ok(())
}
