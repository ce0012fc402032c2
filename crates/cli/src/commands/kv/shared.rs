//! `coffer kv shared`: what others share with the caller, or what the caller shares.

use coffer_api::kv::{KvGrant, KvShared, KvSharedKeys, KvSharedQuery};
use coffer_core::limits::PAGE_ITEMS_MAX;

use super::grantee::{keys_text, who_text};
use crate::app::App;
use crate::commands::shared::may;
use crate::error::CliError;
use crate::output;

/// Arguments of `coffer kv shared`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// List what you share with others instead
    #[arg(long)]
    given: bool,
}

/// Shows what is shared.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let gateway = app.gateway()?;
    if args.given {
        let given = gateway.grants().await?;
        app.output.result(&given, || given_table(&given.items))?;
    } else {
        let mut shared = KvSharedKeys::default();
        let mut query = KvSharedQuery { limit: Some(PAGE_ITEMS_MAX), ..KvSharedQuery::default() };
        loop {
            let page = gateway.shared(&query).await?;
            shared.items.extend(page.items);
            let Some(cursor) = page.next_cursor else { break };
            query.cursor = Some(cursor);
        }
        app.output.result(&shared, || shared_table(&shared.items))?;
    }
    Ok(())
}

fn shared_table(items: &[KvShared]) -> String {
    if items.is_empty() {
        return "Nobody shares a key with you.".into();
    }
    let row = |shared: &KvShared| {
        vec![
            may(shared.permission),
            output::until(shared.expires_at),
            shared.owner_email.clone().unwrap_or_else(|| shared.owner.to_string()),
            keys_text(shared.key.as_deref(), shared.prefix.as_deref()),
        ]
    };
    output::table(&["ACCESS", "UNTIL", "OWNER", "KEYS"], &items.iter().map(row).collect::<Vec<_>>())
}

fn given_table(items: &[KvGrant]) -> String {
    if items.is_empty() {
        return "You share no key.".into();
    }
    let row = |grant: &KvGrant| {
        vec![
            may(grant.permission),
            output::until(grant.expires_at),
            who_text(grant.email.as_deref(), grant.role),
            keys_text(grant.key.as_deref(), grant.prefix.as_deref()),
        ]
    };
    output::table(&["ACCESS", "UNTIL", "WHO", "KEYS"], &items.iter().map(row).collect::<Vec<_>>())
}
