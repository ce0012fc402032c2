//! `coffer config promote`: copies configurations from one environment to another.

use coffer_api::configs::{ConfigMeta, ConfigPromote};
use coffer_client::ConfigsClient;

use crate::app::App;
use crate::error::CliError;
use crate::output::{self, printable};

/// Arguments of `coffer config promote`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The keys: at most 50, all of which are copied at once, or none
    #[arg(required = true)]
    keys: Vec<String>,
    /// The environment that they are in
    #[arg(long, value_name = "NAME")]
    from: String,
    /// The environment that they will be in as well
    #[arg(long, value_name = "NAME")]
    to: String,
    /// Give what is in the other environment already a new version; else it is left alone and nothing is copied
    #[arg(long)]
    overwrite: bool,
}

/// Promotes configurations.
pub(crate) async fn run(args: Args, configs: &ConfigsClient, app: &App) -> Result<(), CliError> {
    let Args { keys, from, to, overwrite } = args;
    let order = ConfigPromote { from, to, keys, overwrite };
    let what = order.keys.join(", ");
    let promoted = configs.promote(&order).await.map_err(|err| CliError::of_config(&what, err))?;
    app.output.result(&promoted, || table(&order, &promoted.items))?;
    Ok(())
}

fn table(order: &ConfigPromote, items: &[ConfigMeta]) -> String {
    let row = |meta: &ConfigMeta| vec![meta.version.to_string(), meta.key.clone()];
    let rows: Vec<_> = items.iter().map(row).collect();
    let title = format!("Copied from {} to {}", printable(&order.from), printable(&order.to));
    format!("{title}\n{}", output::table(&["VERSION", "KEY"], &rows))
}
