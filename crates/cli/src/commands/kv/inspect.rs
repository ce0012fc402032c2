//! `coffer kv inspect`: what is known of a key, without its value.

use coffer_api::kv::{KvKeyQuery, KvMeta};
use coffer_api::usage::KeyUse;
use serde::Serialize;

use super::owner::OfOwner;
use crate::app::App;
use crate::error::CliError;
use crate::output;

/// Arguments of `coffer kv inspect`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The key
    key: String,
    #[command(flatten)]
    owner: OfOwner,
}

/// A key as it is shown.
#[derive(Serialize)]
struct Inspected {
    #[serde(flatten)]
    meta: KvMeta,
    /// Bytes stored for each byte given; 1 for an empty value.
    stored_per_plain: f64,
    /// How many versions are kept, the current one included.
    versions_kept: usize,
    /// How often it was used; only of a key of one's own.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    usage: Option<KeyUse>,
}

/// Shows a key. How somebody else's key is used is for its owner to see.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let query = KvKeyQuery { key: args.key, owner: args.owner.name() };
    let of_key = |err| CliError::of_key(&query.key, err);
    let gateway = app.gateway()?;
    let meta = gateway.meta(&query).await.map_err(of_key)?;
    let versions_kept = gateway.history(&query).await.map_err(of_key)?.items.len();
    let usage = match query.owner {
        Some(_) => None,
        None => Some(gateway.usage_of_key(&query.key).await.map_err(of_key)?),
    };
    let inspected = Inspected { stored_per_plain: ratio(&meta), meta, versions_kept, usage };
    app.output.result(&inspected, || text(&inspected))?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "values are far below 2^52 bytes")]
fn ratio(meta: &KvMeta) -> f64 {
    if meta.size_bytes == 0 { 1.0 } else { meta.stored_bytes as f64 / meta.size_bytes as f64 }
}

fn text(inspected: &Inspected) -> String {
    let meta = &inspected.meta;
    let stored = output::size(meta.stored_bytes);
    let compressed = if meta.compressed { "compressed" } else { "not compressed" };
    let percent = inspected.stored_per_plain * 100.0;
    let mut rows = vec![
        ("Key", meta.key.clone()),
        ("Type", meta.content_type.clone()),
        ("Size", output::size(meta.size_bytes)),
        ("Stored", format!("{stored}, {compressed}, {percent:.0} % of its size")),
        ("Encryption", if meta.encrypt { "asked for, sealed" } else { "not asked for, sealed" }.into()),
        ("Version", format!("{}, {} kept", meta.version, inspected.versions_kept)),
        ("Revision", meta.revision.to_string()),
        ("Created", format!("{} by {}", output::when(meta.created_at), meta.created_by)),
        ("Updated", format!("{} by {}", output::when(meta.updated_at), meta.updated_by)),
        ("Until", output::until(meta.expires_at)),
    ];
    if let Some(usage) = &inspected.usage {
        rows.push(("Reads", format!("{}, last {}", usage.reads, output::until(usage.last_read_at))));
        rows.push(("Writes", usage.writes.to_string()));
        rows.push(("Last used", output::until(usage.last_at)));
    }
    output::fields(&rows)
}
