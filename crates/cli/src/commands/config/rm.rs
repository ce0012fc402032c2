//! `coffer config rm`: deletes a configuration, for good.

use coffer_api::configs::ConfigDeleteQuery;
use coffer_client::ConfigsClient;

use super::place::{Place, shown};
use crate::app::App;
use crate::error::CliError;

/// Arguments of `coffer config rm`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// Only if the configuration has this version
    #[arg(long, value_name = "N")]
    if_version: Option<u64>,
}

/// Deletes a configuration.
pub(crate) async fn run(args: Args, configs: &ConfigsClient, app: &App) -> Result<(), CliError> {
    let named = args.place.query();
    let query =
        ConfigDeleteQuery { key: named.key, environment: named.environment, if_version: args.if_version };
    let gone = configs.delete(&query).await.map_err(|err| CliError::of_config(&query.key, err))?;
    app.output.result(&gone, || format!("Deleted {} with its history", shown(&gone)))?;
    Ok(())
}
