//! `coffer kv diff`: how two versions of a key differ.

use coffer_api::kv::{KvDiff, KvDiffQuery, KvDigest, KvEdit, KvKeyQuery, KvMeta};
use coffer_client::GatewayClient;
use serde::Serialize;

use super::KvError;
use super::owner::OfOwner;
use crate::app::App;
use crate::error::CliError;
use crate::output::{self, printable};

/// Arguments of `coffer kv diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The key
    key: String,
    /// The one version; the one before the other if not given
    from: Option<u64>,
    /// The other; the current one if not given
    to: Option<u64>,
    #[command(flatten)]
    owner: OfOwner,
}

/// What `--json` tells.
#[derive(Serialize)]
struct Compared<'a> {
    from: u64,
    to: u64,
    #[serde(flatten)]
    diff: &'a KvDiff,
}

/// Compares versions.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let (key, owner) = (args.key, args.owner.name());
    let gateway = app.gateway()?;
    let (from, to) = match (args.from, args.to) {
        (Some(from), Some(to)) => (from, to),
        (from, _) => last_two(&gateway, &key, owner.clone(), from).await?,
    };
    let query = KvDiffQuery { key, from, to, owner };
    let diff = gateway.diff(&query).await.map_err(|err| CliError::of_key(&query.key, err))?;
    app.output.result(&Compared { from, to, diff: &diff }, || text(&query, &diff))?;
    Ok(())
}

/// `from`, or else the version before the current one; and the current one.
async fn last_two(
    gateway: &GatewayClient,
    key: &str,
    owner: Option<String>,
    from: Option<u64>,
) -> Result<(u64, u64), CliError> {
    let query = KvKeyQuery { key: key.to_owned(), owner };
    let versions = gateway.history(&query).await.map_err(|err| CliError::of_key(key, err))?.items;
    let mut versions = versions.iter().map(|meta: &KvMeta| meta.version);
    let (current, before) = (versions.next(), versions.next());
    let one_version = || KvError::OneVersion { key: key.to_owned() };
    Ok((from.or(before).ok_or_else(one_version)?, current.ok_or_else(one_version)?))
}

fn text(query: &KvDiffQuery, diff: &KvDiff) -> String {
    let title = format!("{}: version {} to {}", printable(&query.key), query.from, query.to);
    under(title, diff)
}

/// What differs, line by line, under a title.
pub(in crate::commands) fn under(title: String, diff: &KvDiff) -> String {
    let mut lines = vec![title];
    match diff {
        KvDiff::Json { edits, truncated } => {
            lines.extend(edits.iter().map(edit));
            if *truncated {
                lines.push("… and more".into());
            }
        }
        KvDiff::Bytes { from, to } if from != to => {
            lines.push(format!("- {}", digest(from)));
            lines.push(format!("+ {}", digest(to)));
        }
        KvDiff::Bytes { .. } => {}
    }
    if lines.len() == 1 {
        lines.push("no difference".into());
    }
    lines.join("\n")
}

/// One line for one place; the whole value is the place without a name.
fn edit(edit: &KvEdit) -> String {
    let line = match edit {
        KvEdit::Add { path, value } => format!("+ {path}: {value}"),
        KvEdit::Remove { path, value } => format!("- {path}: {value}"),
        KvEdit::Replace { path, from, to } => format!("~ {path}: {from} -> {to}"),
    };
    printable(&line)
}

fn digest(digest: &KvDigest) -> String {
    let KvDigest { content_type, size_bytes, sha256 } = digest;
    printable(&format!("{content_type}, {}, SHA-256 {sha256}", output::size(*size_bytes)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(diff: &KvDiff) -> String {
        text(&KvDiffQuery { key: "k\u{1b}".into(), from: 1, to: 2, owner: None }, diff)
    }

    #[test]
    fn every_edit_is_one_line_that_cannot_command_the_terminal() {
        let edits = vec![
            KvEdit::Add { path: "/a".into(), value: json!([1]).into() },
            KvEdit::Remove { path: "/b\n".into(), value: json!(null).into() },
            KvEdit::Replace {
                path: String::new(),
                from: json!("\u{1b}").into(),
                to: json!("\u{202e}").into(),
            },
        ];
        let expected =
            "k\\u{1b}: version 1 to 2\n+ /a: [1]\n- /b\\u{a}: null\n~ : \"\\u001b\" -> \"\\u{202e}\"";
        assert_eq!(told(&KvDiff::Json { edits, truncated: false }), expected);
    }

    #[test]
    fn what_is_the_same_is_said_to_be() {
        let digest = |sha256: &str| KvDigest {
            content_type: "image/png".into(),
            size_bytes: 3,
            sha256: sha256.to_owned(),
        };
        let same = "k\\u{1b}: version 1 to 2\nno difference";
        assert_eq!(told(&KvDiff::Json { edits: Vec::new(), truncated: false }), same);
        assert_eq!(told(&KvDiff::Bytes { from: digest("ab"), to: digest("ab") }), same);
        let differs = told(&KvDiff::Bytes { from: digest("ab"), to: digest("cd") });
        assert!(differs.ends_with("- image/png, 3 B, SHA-256 ab\n+ image/png, 3 B, SHA-256 cd"), "{differs}");
    }
}
