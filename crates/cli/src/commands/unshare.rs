//! `coffer unshare`: takes access away, at once.

use coffer_api::grants::RevokeGrant;
use coffer_core::{EmailAddress, FileName};

use crate::app::App;
use crate::error::CliError;

/// Arguments of `coffer unshare`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file
    name: FileName,
    /// Whose access ends
    email: EmailAddress,
}

/// Revokes a grant.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let revoked = RevokeGrant { name: args.name.as_str().into(), grantee_email: args.email.as_str().into() };
    app.session()?.kms.revoke_grant(&revoked).await.map_err(|err| CliError::of_file(&args.name, err))?;
    app.output.result(&revoked, || format!("{} has no access to {}", args.email.as_str(), args.name))?;
    Ok(())
}
