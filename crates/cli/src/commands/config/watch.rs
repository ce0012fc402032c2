//! `coffer config watch`: changes as they happen, until it is interrupted. Names and versions are told, and no values.
//!
//! The client comes back by itself when a connection is lost, and goes on behind the last change that it told, so
//! every change is told once. Only a refusal ends it.

use coffer_api::configs::{ConfigChange, ConfigChangeKind, ConfigChanged, ConfigWatchQuery};
use coffer_client::{ClientError, ConfigsClient, Watched};

use crate::app::App;
use crate::error::CliError;
use crate::output::printable;

/// Arguments of `coffer config watch`.
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
    /// Begin with what happened after this revision; with what happens from now on if not given
    #[arg(long, value_name = "REVISION")]
    since: Option<String>,
}

/// Watches configurations. With `--json` every line is a document: everything that changed at once.
pub(crate) async fn run(args: Args, configs: &ConfigsClient, app: &App) -> Result<(), CliError> {
    let prefix = args.prefix.unwrap_or_default();
    let query = ConfigWatchQuery {
        prefix: prefix.clone(),
        environment: args.environment,
        category: args.category,
        after: args.since,
    };
    let of_prefix = |err: ClientError| CliError::of_config(&prefix, err.naming("after", "--since"));
    let mut watch = configs.watch(query).await.map_err(of_prefix)?;
    app.output.note("Watching; Ctrl-C ends it.");
    loop {
        match watch.next().await.map_err(of_prefix)? {
            Watched::Change(change) => app.output.result(&change, || lines(&change))?,
            Watched::Resumed => app.output.note("The connection was lost and is back; nothing was missed."),
        }
    }
}

/// A line for each configuration: the revision, which `--since` takes, when, what, the environment, the key, the version.
fn lines(change: &ConfigChange) -> String {
    let line = |one: &ConfigChanged| {
        let (op, environment, key) = (word(one.op), printable(&one.environment), printable(&one.key));
        let (revision, at, version) = (change.revision, change.at, one.version);
        format!("{revision}  {at}  {op:7}  {environment}  {key}  version {version}\n")
    };
    change.changes.iter().map(line).collect()
}

fn word(kind: ConfigChangeKind) -> &'static str {
    match kind {
        ConfigChangeKind::Created => "created",
        ConfigChangeKind::Updated => "updated",
        ConfigChangeKind::Deleted => "deleted",
    }
}

#[cfg(test)]
mod tests {
    use coffer_core::Timestamp;

    use super::*;

    #[test]
    fn every_configuration_that_changed_has_a_line_of_its_own() {
        let changed = |key: &str| ConfigChanged {
            key: key.into(),
            environment: "e".into(),
            category: None,
            op: ConfigChangeKind::Updated,
            version: 3,
        };
        let at = Timestamp::from_ms(0);
        let change = ConfigChange { revision: 7, at, changes: vec![changed("a"), changed("b\n")] };
        let expected = "7  1970-01-01T00:00:00.000Z  updated  e  a  version 3\n\
                        7  1970-01-01T00:00:00.000Z  updated  e  b\\u{a}  version 3\n";
        assert_eq!(lines(&change), expected);
    }
}
