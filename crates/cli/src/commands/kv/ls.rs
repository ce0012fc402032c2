//! `coffer kv ls`: keys, or the trash, in all pages.

use coffer_api::kv::{KvListQuery, KvMeta, KvPage, KvTrashQuery, KvTrashed};
use serde_json::json;

use super::owner::OfOwner;
use crate::app::App;
use crate::error::CliError;
use crate::output;

/// Arguments of `coffer kv ls`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only keys that begin with this; of somebody else's keys it must be shared with you
    prefix: Option<String>,
    /// Fold keys that go on behind this text, as folders do with /
    #[arg(long, short, value_name = "TEXT")]
    delimiter: Option<String>,
    /// Only keys with this in their name, in upper or lower case
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// List deleted keys instead
    #[arg(long, conflicts_with_all = ["delimiter", "search", "owner"])]
    trash: bool,
    #[command(flatten)]
    owner: OfOwner,
}

/// Lists keys.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let prefix = args.prefix.unwrap_or_default();
    let of_prefix = |err| CliError::of_key(&prefix, err);
    let gateway = app.gateway()?;
    if args.trash {
        let query = KvTrashQuery { prefix: prefix.clone(), ..KvTrashQuery::default() };
        let items = gateway.trash_all(query).await.map_err(of_prefix)?;
        app.output.result(&json!({ "items": items }), || trash_table(&items))?;
        return Ok(());
    }
    let query = KvListQuery {
        prefix: prefix.clone(),
        delimiter: args.delimiter,
        search: args.search,
        owner: args.owner.name(),
        ..KvListQuery::default()
    };
    let page = gateway.list_all(query).await.map_err(of_prefix)?;
    app.output.result(&page, || table(&page))?;
    Ok(())
}

/// Keys and folded prefixes together, in the order of their bytes.
fn table(page: &KvPage) -> String {
    if page.items.is_empty() && page.common_prefixes.is_empty() && page.damaged.is_empty() {
        return "No keys. Store one with: coffer kv put KEY VALUE".into();
    }
    let row = |meta: &KvMeta| {
        vec![
            meta.version.to_string(),
            output::size(meta.size_bytes),
            output::when(meta.updated_at),
            output::until(meta.expires_at),
            meta.key.clone(),
        ]
    };
    let folded = |prefix: &String| ["-", "-", "-", "-", prefix].map(str::to_owned).to_vec();
    let mut rows: Vec<Vec<String>> =
        page.items.iter().map(row).chain(page.common_prefixes.iter().map(folded)).collect();
    rows.extend(page.damaged.iter().map(|key| ["damaged", "-", "-", "-", key].map(str::to_owned).to_vec()));
    rows.sort_by(|one, other| one.last().cmp(&other.last()));
    output::table(&["VERSION", "SIZE", "UPDATED", "UNTIL", "KEY"], &rows)
}

fn trash_table(items: &[KvTrashed]) -> String {
    if items.is_empty() {
        return "The trash is empty.".into();
    }
    let row = |trashed: &KvTrashed| {
        vec![
            trashed.version.to_string(),
            output::size(trashed.size_bytes),
            output::when(trashed.deleted_at),
            trashed.key.clone(),
        ]
    };
    output::table(&["VERSION", "SIZE", "DELETED", "KEY"], &items.iter().map(row).collect::<Vec<_>>())
}
