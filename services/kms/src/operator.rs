//! `coffer-kms admin …`: what whoever runs the service does on the command line.
//!
//! It works on the store itself, beside a running service where the back end allows several processes.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use coffer_auth::password::Password;
use coffer_core::{EmailAddress, SecretString};
use coffer_server::Cause;
use zeroize::Zeroizing;

use crate::config::Settings;
use crate::domain::identity::AdminWish;
use crate::service::{identity, open};

/// A password file is read no further than this.
const PASSWORD_FILE_BYTES_MAX: u64 = 4096;

/// What can be done about administrators.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Make an administrator: a new user, or one who exists already.
    Create {
        /// The address. A new user logs in with it.
        #[command(flatten)]
        address: AddressArguments,
        /// A file that holds the password, or `-` for standard input. Without it a new user is sent a code
        /// that sets one, and an existing user keeps his.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// Ask for the password on the terminal.
        #[arg(long, conflicts_with = "password_file")]
        ask_password: bool,
    },
}

/// An address, as an option or by its place.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct AddressArguments {
    /// The e-mail address.
    #[arg(long)]
    email: Option<EmailAddress>,
    /// The e-mail address.
    #[arg(value_name = "EMAIL")]
    place: Option<EmailAddress>,
}

/// Runs a command.
pub(crate) async fn run(settings: &Settings, command: AdminCommand) -> Result<(), Cause> {
    let AdminCommand::Create { address, password_file, ask_password } = command;
    let email = address.email.or(address.place).ok_or("an address is needed")?;
    let password = match password_file {
        Some(path) => Some(read_password(&path)?),
        None if ask_password => Some(prompt()?),
        None => None,
    };
    let foundation = open(settings).await?;
    let wish = AdminWish { email: email.clone(), password };
    let made = identity(&foundation, settings)?.make_admin(wish).await?;
    let mut out = std::io::stdout();
    let what = if made.created { "created the administrator" } else { "made an administrator of" };
    writeln!(out, "{what} {}", email.as_str())?;
    if made.user.password.is_none() {
        writeln!(
            out,
            "a code is in the mail queue; set a password with it: coffer password reset {} --code -",
            email.as_str()
        )?;
    }
    Ok(())
}

fn prompt() -> Result<Password, Cause> {
    let first = Zeroizing::new(rpassword::prompt_password("New password: ")?);
    let again = Zeroizing::new(rpassword::prompt_password("The same again: ")?);
    if first != again {
        return Err("the two passwords differ".into());
    }
    Ok(Password::new_for_account(SecretString::from(first.as_str()))?)
}

fn read_password(path: &Path) -> Result<Password, Cause> {
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(PASSWORD_FILE_BYTES_MAX)?));
    if path == Path::new("-") {
        std::io::stdin().take(PASSWORD_FILE_BYTES_MAX).read_to_string(&mut text)?;
    } else {
        let file = std::fs::File::open(path).map_err(|err| format!("reading {}: {err}", path.display()))?;
        file.take(PASSWORD_FILE_BYTES_MAX).read_to_string(&mut text)?;
    }
    // The line break that editors put at the end is no part of the password.
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    Ok(Password::new_for_account(SecretString::from(line))?)
}
