//! `coffer kv watch`: changes as they happen, until it is interrupted.
//!
//! The client comes back by itself when a connection is lost, and goes on behind the last change that it told, so
//! every change is told once. Only a refusal ends it.

use coffer_api::kv::{KvChange, KvChangeKind, KvChangesQuery};
use coffer_client::{ClientError, Watched};
use coffer_core::UserId;

use super::owner::OfOwner;
use crate::app::App;
use crate::error::CliError;
use crate::output::printable;

/// Arguments of `coffer kv watch`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only keys that begin with this; of somebody else's keys it must be shared with you
    prefix: Option<String>,
    /// Begin with what happened after this revision; with what happens from now on if not given
    #[arg(long, value_name = "REVISION")]
    since: Option<String>,
    #[command(flatten)]
    owner: OfOwner,
}

/// Watches keys. With `--json` every line is a document: everything that changed at once.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let prefix = args.prefix.unwrap_or_default();
    let query = KvChangesQuery { prefix: prefix.clone(), owner: args.owner.name(), after: args.since };
    let of_prefix = |err: ClientError| CliError::of_key(&prefix, err.naming("after", "--since"));
    let mut watch = app.gateway()?.watch(query).await.map_err(of_prefix)?;
    app.output.note("Watching; Ctrl-C ends it.");
    loop {
        match watch.next().await.map_err(of_prefix)? {
            Watched::Change(change) => app.output.result(&change, || lines(&change))?,
            Watched::Resumed => app.output.note("The connection was lost and is back; nothing was missed."),
        }
    }
}

/// A line for each key: the revision, which `--since` takes, when, what, the version, the key and by whom.
fn lines(change: &KvChange) -> String {
    let by = change.by.map_or_else(String::new, |by: UserId| format!("  by {by}"));
    let line = |one: &coffer_api::kv::KvChanged| {
        let (op, key) = (word(one.op), printable(&one.key));
        format!("{}  {}  {op:7}  {key}  version {}{by}\n", change.revision, change.at, one.version)
    };
    change.changes.iter().map(line).collect()
}

fn word(kind: KvChangeKind) -> &'static str {
    match kind {
        KvChangeKind::Put => "put",
        KvChangeKind::Delete => "delete",
        KvChangeKind::Restore => "restore",
        KvChangeKind::Expire => "expire",
        KvChangeKind::Purge => "purge",
    }
}

#[cfg(test)]
mod tests {
    use coffer_api::kv::KvChanged;
    use coffer_core::Timestamp;

    use super::*;

    #[test]
    fn every_key_that_changed_has_a_line_of_its_own() {
        let changed = |key: &str| KvChanged { key: key.into(), op: KvChangeKind::Put, version: 3 };
        let at = Timestamp::from_ms(0);
        let change = KvChange { revision: 7, at, by: None, changes: vec![changed("a"), changed("b\n")] };
        let expected = "7  1970-01-01T00:00:00.000Z  put      a  version 3\n\
                        7  1970-01-01T00:00:00.000Z  put      b\\u{a}  version 3\n";
        assert_eq!(lines(&change), expected);
    }
}
