//! `coffer config history`: the versions of a configuration that are kept.

use coffer_api::configs::ConfigMeta;
use coffer_client::ConfigsClient;

use super::place::Place;
use crate::app::App;
use crate::error::CliError;
use crate::output;

/// Arguments of `coffer config history`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
}

/// Lists versions, the current one first.
pub(crate) async fn run(args: Args, configs: &ConfigsClient, app: &App) -> Result<(), CliError> {
    let query = args.place.query();
    let history = configs.history(&query).await.map_err(|err| CliError::of_config(&query.key, err))?;
    app.output.result(&history, || table(&history.items))?;
    Ok(())
}

fn table(versions: &[ConfigMeta]) -> String {
    let row = |meta: &ConfigMeta| {
        vec![
            meta.version.to_string(),
            meta.environment.clone(),
            meta.category.clone().unwrap_or_else(|| "-".into()),
            output::size(meta.size_bytes),
            output::when(meta.updated_at),
        ]
    };
    let rows: Vec<_> = versions.iter().map(row).collect();
    output::table(&["VERSION", "ENVIRONMENT", "CATEGORY", "SIZE", "STORED"], &rows)
}
