//! The second step that registering, logging in and resetting a password share.

use coffer_api::ErrorCode;
use coffer_client::ClientError;
use coffer_core::EmailAddress;

use crate::error::CliError;
use crate::input::{self, Code, CodeFrom};
use crate::output::Output;

/// Wrong codes that a person may type before the program gives up; the server ends a code after five.
const TRIES_MAX: u32 = 3;

/// The command line that takes the code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Again {
    /// The command.
    pub(super) command: &'static str,
    /// What it needs besides address and code, with a space before it.
    pub(super) options: &'static str,
}

/// Uses a one-time code: the one from the command line or, on a terminal, one that is asked for, again
/// while it is wrong. Without either the caller learns that a code is needed; `again` is the command that
/// goes on from there.
pub(super) async fn with_code<T>(
    email: &EmailAddress,
    given: Option<CodeFrom>,
    again: Again,
    use_code: impl AsyncFn(&Code) -> Result<T, ClientError>,
    output: Output,
) -> Result<T, CliError> {
    if let Some(code) = given {
        return Ok(use_code(&code.read()?).await?);
    }
    if !input::is_interactive() {
        return Err(code_needed(email, again));
    }
    for _ in 1..TRIES_MAX {
        match use_code(&input::ask_code(email.as_str())?).await {
            Err(err) if err.code() == Some(ErrorCode::OtpFailed) => {
                output.note("That code is wrong or has expired.");
            }
            done => return Ok(done?),
        }
    }
    Ok(use_code(&input::ask_code(email.as_str())?).await?)
}

/// Says that a code is on its way, and what goes on from there.
pub(super) fn code_needed(email: &EmailAddress, again: Again) -> CliError {
    CliError::CodeNeeded {
        email: email.clone(),
        next: format!("coffer {} {} --code NNNNNN{}", again.command, email.as_str(), again.options),
    }
}

/// The address that is meant: from the command line, else asked for.
pub(super) fn email_or_ask(given: Option<EmailAddress>) -> Result<EmailAddress, CliError> {
    match given {
        Some(email) => Ok(email),
        None if input::is_interactive() => Ok(input::ask("E-mail address: ")?.parse()?),
        None => Err(input::InputError::NoEmail.into()),
    }
}
