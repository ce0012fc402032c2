//! `coffer share`: gives somebody access to a file.

use coffer_api::grants::{CreateGrant, Permission};
use coffer_core::{EmailAddress, FileName};

use crate::app::App;
use crate::error::CliError;
use crate::expiry;
use crate::output;

/// Arguments of `coffer share`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file
    name: FileName,
    /// Whom to give access; somebody without an account gets it on registering
    email: EmailAddress,
    /// Let them replace the file as well (coffer put --owner)
    #[arg(long)]
    write: bool,
    /// When the access ends: 30m, 12h, 7d, 2w, 2026-12-31 (to the end of that day, UTC) or an RFC 3339 time
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
}

/// Shares a file.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let expires_at = args.expires.map(|text| expiry::parse(&text, app.clock.now())).transpose()?;
    let permission = if args.write { Permission::Write } else { Permission::Read };
    let grant = CreateGrant {
        name: args.name.as_str().into(),
        grantee_email: args.email.as_str().into(),
        permission,
        expires_at,
    };
    app.session()?.kms.create_grant(&grant).await.map_err(|err| CliError::of_file(&args.name, err))?;
    app.output.result(&grant, || {
        let may = if args.write { "read and replace" } else { "read" };
        let until = expires_at.map_or_else(String::new, |end| format!(" until {}", output::when(end)));
        format!("{} may {may} {}{until}", args.email.as_str(), args.name)
    })?;
    Ok(())
}
