//! `coffer kv unshare`: takes access back, as it was given.

use coffer_api::kv::KvRevoke;

use super::grantee::{Access, keys_text, who_text};
use crate::app::App;
use crate::error::CliError;
use crate::output::printable;

/// Arguments of `coffer kv unshare`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    access: Access,
}

/// Revokes a grant.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let ((key, prefix), (email, role)) = (args.access.keys(), args.access.grantee());
    let revoke = KvRevoke { key, prefix, email, role };
    app.gateway()?.revoke(&revoke).await.map_err(|err| CliError::of_key(args.access.name(), err))?;
    app.output.result(&revoke, || {
        let who = who_text(revoke.email.as_deref(), revoke.role);
        let keys = keys_text(revoke.key.as_deref(), revoke.prefix.as_deref());
        printable(&format!("{keys} is no longer shared with {who}"))
    })?;
    Ok(())
}
