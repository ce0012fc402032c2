//! `coffer config`: configurations that only a user key opens, at the gateway. One file for each command.
//!
//! A user key is all that is needed, unless the deployment asks for a session or an API key as well. A wrong user key
//! finds nothing: the gateway does not know it from one under which nothing was stored yet.
//!
//! A configuration is named by key and environment. Where no environment is given, the key's only one is meant, or else
//! the default one.

mod diff;
mod error;
mod export;
mod format;
mod get;
mod history;
mod import;
mod ls;
mod place;
mod promote;
mod rekey;
mod rm;
mod rollback;
mod set;
mod watch;

use clap::Subcommand;

use crate::app::App;
use crate::error::CliError;
use crate::user_key::KeyArgs;
pub(crate) use error::{ConfigError, hint_of_code};

/// Arguments of `coffer config`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    keys: KeyArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write a value to standard output, as it was stored
    Get(get::Args),
    /// Store a value; a secret one through standard input
    Set(set::Args),
    /// Delete a configuration with its history
    Rm(rm::Args),
    /// List configurations
    Ls(ls::Args),
    /// List the versions that are kept
    History(history::Args),
    /// Show how two versions, or the values of two environments, differ
    Diff(diff::Args),
    /// Store an earlier version anew
    Rollback(rollback::Args),
    /// Copy configurations from one environment to another: all of them at once or none
    Promote(promote::Args),
    /// Write the configurations of an environment as a text, in which all values are plain
    Export(export::Args),
    /// Store configurations from a text, as an export writes it
    Import(import::Args),
    /// Show changes as they happen
    Watch(watch::Args),
    /// Move everything to another user key, at once
    Rekey(rekey::Args),
}

/// Works on configurations.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let Args { keys, action } = args;
    if let Action::Rekey(args) = action {
        return rekey::run(args, &keys, app).await;
    }
    let takes_input = match &action {
        Action::Set(args) => args.takes_input(),
        Action::Import(args) => args.takes_input(),
        _ => false,
    };
    let configs = app.configs(keys.read(takes_input)?)?;
    match action {
        Action::Get(args) => get::run(args, &configs, app).await,
        Action::Set(args) => set::run(args, &configs, app).await,
        Action::Rm(args) => rm::run(args, &configs, app).await,
        Action::Ls(args) => ls::run(args, &configs, app).await,
        Action::History(args) => history::run(args, &configs, app).await,
        Action::Diff(args) => diff::run(args, &configs, app).await,
        Action::Rollback(args) => rollback::run(args, &configs, app).await,
        Action::Promote(args) => promote::run(args, &configs, app).await,
        Action::Export(args) => export::run(args, &configs, app).await,
        Action::Import(args) => import::run(args, &configs, app).await,
        Action::Watch(args) => watch::run(args, &configs, app).await,
        Action::Rekey(_) => unreachable!("handled before"),
    }
}
