//! `coffer login`: password, then the code from the mail; keeps the session.

use std::path::PathBuf;

use coffer_api::WireSecret;
use coffer_api::identity::{LogIn, LogInAnswer, NewSession, VerifyLogIn};
use coffer_core::{EmailAddress, Timestamp};
use serde::Serialize;

use super::code::{Again, email_or_ask, with_code};
use crate::app::App;
use crate::credentials::{Credentials, Servers};
use crate::error::CliError;
use crate::input::{self, Code, CodeFrom};

/// What finishes it.
const AGAIN: Again = Again { command: "login", options: "" };

/// Arguments of `coffer login`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The e-mail address; asked for when left out
    email: Option<EmailAddress>,
    /// Read the password from this file (- for standard input) instead of asking
    #[arg(long, value_name = "FILE", conflicts_with = "code")]
    password_file: Option<PathBuf>,
    /// Finish with the code from the mail; - reads it from standard input. As an argument, other users of this
    /// machine can see it until it has been used
    #[arg(long, value_name = "NNNNNN")]
    code: Option<CodeFrom>,
}

/// What `--json` tells of a new session; never the token.
#[derive(Serialize)]
struct LoggedIn<'a> {
    email: &'a str,
    expires_at: Timestamp,
    #[serde(flatten)]
    servers: &'a Servers,
}

/// Logs in.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let email = email_or_ask(args.email)?;
    let kms = app.anonymous()?;
    let device = || app.store.device(&app.kms, &email);
    if args.code.is_none() {
        let password = input::password(args.password_file.as_deref(), "Password: ")?;
        let log_in = LogIn { email: email.as_str().into(), password: password.into(), device: device() };
        if let LogInAnswer::LoggedIn(session) = kms.log_in(&log_in).await? {
            return keep(*session, &email, app);
        }
    }
    let verify = async |code: &Code| {
        let proof =
            VerifyLogIn { email: email.as_str().into(), code: code.as_str().into(), device: device() };
        kms.verify_log_in(&proof).await
    };
    let session = with_code(&email, args.code, AGAIN, verify, app.output).await?;
    keep(session, &email, app)
}

fn keep(session: NewSession, email: &EmailAddress, app: &App) -> Result<(), CliError> {
    let credentials = Credentials {
        servers: app.servers_for_log_in()?,
        email: email.clone(),
        token: WireSecret::into_secret(session.token),
        expires_at: session.expires_at,
    };
    app.store.save(&credentials)?;
    if let Some(device) = session.device {
        app.store.remember_device(&app.kms, email, device)?;
    }
    let shown =
        LoggedIn { email: email.as_str(), expires_at: credentials.expires_at, servers: &credentials.servers };
    app.output.result(&shown, || format!("Logged in as {} at {}", email.as_str(), app.kms))?;
    Ok(())
}
