//! `coffer config diff`: how two versions of a configuration differ, or its values in two environments.

use coffer_api::configs::ConfigDiffQuery;
use coffer_api::kv::KvDiff;
use coffer_client::ConfigsClient;
use serde::Serialize;

use super::ConfigError;
use super::place::Place;
use crate::app::App;
use crate::commands::kv::diff::under;
use crate::error::CliError;
use crate::output::printable;

/// Arguments of `coffer config diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// The one version; if not given, the one before the other or, with --to-env, the current one
    from: Option<u64>,
    /// The other; the current one if not given
    to: Option<u64>,
    /// The environment of the other; the same if not given
    #[arg(long, value_name = "NAME")]
    to_env: Option<String>,
}

/// What `--json` tells.
#[derive(Serialize)]
struct Compared<'a> {
    #[serde(flatten)]
    query: &'a ConfigDiffQuery,
    #[serde(flatten)]
    diff: &'a KvDiff,
}

/// Compares values.
pub(crate) async fn run(args: Args, configs: &ConfigsClient, app: &App) -> Result<(), CliError> {
    let named = args.place.query();
    let of_config = |err| CliError::of_config(&named.key, err);
    let mut query = ConfigDiffQuery {
        key: named.key.clone(),
        environment: named.environment.clone(),
        from: args.from,
        to_environment: args.to_env,
        to: args.to,
    };
    if query.to_environment.is_none() && (query.from.is_none() || query.to.is_none()) {
        // Both are named, so that what is compared can be said.
        let versions = configs.history(&named).await.map_err(of_config)?.items;
        let mut versions = versions.iter().map(|meta| meta.version);
        let (current, before) = (versions.next(), versions.next());
        let one_version = || ConfigError::OneVersion { key: named.key.clone() };
        query.from = Some(query.from.or(before).ok_or_else(one_version)?);
        query.to = query.to.or(current);
    }
    let diff = configs.diff(&query).await.map_err(of_config)?;
    app.output.result(&Compared { query: &query, diff: &diff }, || under(title(&query), &diff))?;
    Ok(())
}

fn title(query: &ConfigDiffQuery) -> String {
    let of = |environment: Option<&String>, version: Option<u64>| {
        let environment = environment.map_or_else(String::new, |name| format!(" in {}", printable(name)));
        let version = version.map_or_else(|| "current version".to_owned(), |n| format!("version {n}"));
        format!("{version}{environment}")
    };
    let other = query.to_environment.as_ref().or(query.environment.as_ref());
    let (one, other) = (of(query.environment.as_ref(), query.from), of(other, query.to));
    format!("{}: {one} to {other}", printable(&query.key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_says_what_is_compared() {
        let query = |environment: Option<&str>, to: Option<&str>, from| ConfigDiffQuery {
            key: "k\u{1b}".into(),
            environment: environment.map(Into::into),
            to_environment: to.map(Into::into),
            from,
            to: from.map(|from| from + 1),
        };
        assert_eq!(title(&query(None, None, Some(1))), "k\\u{1b}: version 1 to version 2");
        let of_two = title(&query(Some("a"), Some("b"), None));
        assert_eq!(of_two, "k\\u{1b}: current version in a to current version in b");
    }
}
