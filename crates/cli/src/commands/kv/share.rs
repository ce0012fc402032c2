//! `coffer kv share`: gives access to keys.

use coffer_api::grants::Permission;
use coffer_api::kv::KvNewGrant;

use super::grantee::{Access, keys_text, who_text};
use crate::app::App;
use crate::error::CliError;
use crate::expiry;
use crate::output::{self, printable};

/// Arguments of `coffer kv share`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    access: Access,
    /// Let them store and delete as well
    #[arg(long)]
    write: bool,
    /// When the access ends: 30m, 12h, 7d, 2w, 2026-12-31 (to the end of that day, UTC) or an RFC 3339 time
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
}

/// Shares keys.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let expires_at = args.expires.map(|text| expiry::parse(&text, app.clock.now())).transpose()?;
    let permission = if args.write { Permission::Write } else { Permission::Read };
    let ((key, prefix), (email, role)) = (args.access.keys(), args.access.grantee());
    let grant = KvNewGrant { key, prefix, email, role, permission, expires_at };
    let grant =
        app.gateway()?.grant(&grant).await.map_err(|err| CliError::of_key(args.access.name(), err))?;
    app.output.result(&grant, || {
        let who = who_text(grant.email.as_deref(), grant.role);
        let keys = keys_text(grant.key.as_deref(), grant.prefix.as_deref());
        let may = if args.write { "read and change" } else { "read" };
        let until = grant.expires_at.map_or_else(String::new, |end| format!(" until {}", output::when(end)));
        printable(&format!("{who} may {may} {keys}{until}"))
    })?;
    Ok(())
}
