//! `coffer whoami`: who is logged in, as the server sees it.

use crate::app::App;
use crate::error::CliError;
use crate::output::{self, printable};

/// Arguments of `coffer whoami`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Shows who is logged in.
pub(crate) async fn run(_: Args, app: &App) -> Result<(), CliError> {
    let me = app.session()?.kms.me().await?;
    app.output.result(&me, || {
        format!(
            "{} ({}), at {} until {}",
            printable(&me.user.email),
            me.user.role,
            app.kms,
            output::when(me.expires_at)
        )
    })?;
    Ok(())
}
