//! `coffer config ls`: configurations, in all pages.

use coffer_api::configs::{ConfigListQuery, ConfigMeta, ConfigPage};
use coffer_client::ConfigsClient;

use crate::app::App;
use crate::error::CliError;
use crate::output;

/// Arguments of `coffer config ls`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only keys that begin with this
    prefix: Option<String>,
    /// Only of this environment
    #[arg(long = "env", short, value_name = "NAME")]
    environment: Option<String>,
    /// Only of this category
    #[arg(long, short, value_name = "NAME")]
    category: Option<String>,
}

/// Lists configurations.
pub(crate) async fn run(args: Args, configs: &ConfigsClient, app: &App) -> Result<(), CliError> {
    let prefix = args.prefix.unwrap_or_default();
    let query = ConfigListQuery {
        prefix: prefix.clone(),
        environment: args.environment,
        category: args.category,
        ..ConfigListQuery::default()
    };
    let items = configs.list_all(query).await.map_err(|err| CliError::of_config(&prefix, err))?;
    let page = ConfigPage { items, next_cursor: None };
    app.output.result(&page, || table(&page.items))?;
    Ok(())
}

fn table(items: &[ConfigMeta]) -> String {
    if items.is_empty() {
        return "Nothing is stored under this user key that is asked for. Store something with: coffer config set KEY \
                VALUE"
            .into();
    }
    let row = |meta: &ConfigMeta| {
        vec![
            meta.environment.clone(),
            meta.category.clone().unwrap_or_else(|| "-".into()),
            meta.version.to_string(),
            output::size(meta.size_bytes),
            output::when(meta.updated_at),
            meta.key.clone(),
        ]
    };
    let mut rows: Vec<_> = items.iter().map(row).collect();
    rows.sort_by(|one, other| (&one[0], &one[5]).cmp(&(&other[0], &other[5])));
    output::table(&["ENVIRONMENT", "CATEGORY", "VERSION", "SIZE", "UPDATED", "KEY"], &rows)
}
