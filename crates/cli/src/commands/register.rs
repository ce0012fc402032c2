//! `coffer register`: asks for an account, then proves the address by the code that was sent there.

use std::path::PathBuf;

use coffer_api::identity::{Register, ResendCode, VerifyRegistration};
use coffer_core::{EmailAddress, UserName};

use super::code::{Again, email_or_ask, with_code};
use crate::app::App;
use crate::error::CliError;
use crate::input::{self, Code, CodeFrom, InputError};
use crate::output::printable;

/// What finishes it.
const AGAIN: Again = Again { command: "register", options: "" };

/// Arguments of `coffer register`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The e-mail address; asked for when left out
    email: Option<EmailAddress>,
    /// A name to be known by
    #[arg(long, value_name = "NAME")]
    user_name: Option<UserName>,
    /// Read the password from this file (- for standard input) instead of asking
    #[arg(long, value_name = "FILE", conflicts_with_all = ["code", "resend"])]
    password_file: Option<PathBuf>,
    /// Finish with the code from the mail; - reads it from standard input. As an argument, other users of this
    /// machine can see it until it has been used
    #[arg(long, value_name = "NNNNNN", conflicts_with_all = ["resend", "user_name"])]
    code: Option<CodeFrom>,
    /// Ask for another code for a registration that is pending
    #[arg(long, conflicts_with = "user_name")]
    resend: bool,
}

/// Registers.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let email = email_or_ask(args.email)?;
    let kms = app.anonymous()?;
    if args.resend {
        kms.resend_code(&ResendCode { email: email.as_str().into() }).await?;
    } else if args.code.is_none() {
        let missing = InputError::NoPassword;
        let password = input::new_password(args.password_file.as_deref(), missing)?;
        kms.register(&Register {
            email: email.as_str().into(),
            password: password.into(),
            user_name: args.user_name.map(|name| name.as_str().into()),
        })
        .await
        .map_err(|err| CliError::of_registration(&email, err))?;
    }
    let verify = async |code: &Code| {
        let proof = VerifyRegistration { email: email.as_str().into(), code: code.as_str().into() };
        kms.verify_registration(&proof).await
    };
    let registered = with_code(&email, args.code, AGAIN, verify, app.output).await?;
    app.output.result(&registered.user, || {
        format!("Registered {}. Log in with: coffer login", printable(&registered.user.email))
    })?;
    Ok(())
}
