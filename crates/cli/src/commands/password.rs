//! `coffer password`: changing it, and getting back in without it.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use coffer_api::identity::{ChangePassword, RequestReset, VerifyReset};
use coffer_core::{EmailAddress, ExposeSecret};
use serde_json::json;

use super::code::{Again, code_needed, email_or_ask, with_code};
use crate::app::App;
use crate::error::CliError;
use crate::input::{self, Code, CodeFrom, InputError};

/// What finishes a reset.
const RESET_AGAIN: Again = Again { command: "password reset", options: " --new-password-file FILE" };

/// Arguments of `coffer password`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Change the password; all other sessions end
    Change {
        /// Read the password so far from this file (- for standard input) instead of asking
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// Read the new password from this file (- for standard input) instead of asking
        #[arg(long, value_name = "FILE")]
        new_password_file: Option<PathBuf>,
    },
    /// Set a new password by a code that is sent to your address; all sessions end
    Reset {
        /// The e-mail address; asked for when left out
        email: Option<EmailAddress>,
        /// Finish with the code from the mail; - reads it from standard input. As an argument, other users of this
        /// machine can see it until it has been used
        #[arg(long, value_name = "NNNNNN")]
        code: Option<CodeFrom>,
        /// Read the new password from this file (- for standard input) instead of asking
        #[arg(long, value_name = "FILE")]
        new_password_file: Option<PathBuf>,
    },
}

/// Changes or resets the password.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    match args.action {
        Action::Change { password_file, new_password_file } => {
            change(password_file, new_password_file, app).await
        }
        Action::Reset { email, code, new_password_file } => {
            reset(email_or_ask(email)?, code, new_password_file, app).await
        }
    }
}

async fn change(old: Option<PathBuf>, new: Option<PathBuf>, app: &App) -> Result<(), CliError> {
    if old.is_some() && old == new {
        return Err(InputError::SamePasswordFile.into());
    }
    let session = app.session()?;
    let current_password = input::password(old.as_deref(), "Password so far: ")?.into();
    let new_password = input::new_password(new.as_deref(), InputError::NoNewPassword)?.into();
    session.kms.change_password(&ChangePassword { current_password, new_password }).await?;
    app.output.result(&json!({ "changed": true }), || "Password changed; all other sessions ended".into())?;
    Ok(())
}

async fn reset(
    email: EmailAddress,
    code: Option<CodeFrom>,
    new: Option<PathBuf>,
    app: &App,
) -> Result<(), CliError> {
    if matches!(code, Some(CodeFrom::Input)) && new.as_deref() == Some(Path::new("-")) {
        return Err(InputError::CodeAndPassword.into());
    }
    let kms = app.anonymous()?;
    if code.is_none() {
        kms.request_reset(&RequestReset { email: email.as_str().into() }).await?;
        if !input::is_interactive() {
            return Err(code_needed(&email, RESET_AGAIN));
        }
        app.output.note("If this address has an account, a code is on its way to it.");
    }
    let password = input::new_password(new.as_deref(), InputError::NoNewPassword)?;
    let verify = async |code: &Code| {
        let proof = VerifyReset {
            email: email.as_str().into(),
            code: code.as_str().into(),
            new_password: password.expose_secret().into(),
        };
        kms.verify_reset(&proof).await
    };
    with_code(&email, code, RESET_AGAIN, verify, app.output).await?;
    app.output.result(&json!({ "reset": true }), || {
        "Password set; all sessions ended. Log in with: coffer login".into()
    })?;
    Ok(())
}
