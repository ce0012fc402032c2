//! `coffer logout`: ends the session at the server and forgets it here.

use coffer_api::ErrorCode;
use serde_json::json;

use crate::app::App;
use crate::error::CliError;

/// Arguments of `coffer logout`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Logs out. What is kept here goes in any case; when the server cannot be told, that is a failure all
/// the same, because the session lives on there until it expires.
pub(crate) async fn run(_: Args, app: &App) -> Result<(), CliError> {
    let ended = match app.session() {
        Ok(session) => session.kms.log_out().await.map_err(CliError::from),
        // Nothing to end; the file may still be there.
        Err(CliError::NotLoggedIn { .. } | CliError::SessionEnded { .. }) => Ok(()),
        Err(err) => Err(err),
    };
    app.store.remove(&app.kms)?;
    match ended {
        Err(err) if err.code() != Some(ErrorCode::InvalidSession) => {
            app.output.note("The session is forgotten here, but the server could not be told to end it.");
            return Err(err);
        }
        _ => {}
    }
    app.output.result(&json!({ "logged_out": true }), || format!("Logged out of {}", app.kms))?;
    Ok(())
}
