//! `coffer kv`: values under keys, at the gateway. One file for each command.
//!
//! Unlike files, values are sealed by the gateway, which knows them while it handles them.
//!
//! A key has versions, 1 for its first value, and every change of it has a revision, which no other change has: people
//! ask for versions (`--version`), and conditions name revisions (`--if-revision`).

pub(in crate::commands) mod diff;
mod error;
pub(in crate::commands) mod get;
mod grantee;
mod history;
mod inspect;
mod ls;
mod owner;
mod put;
mod restore;
mod rm;
mod share;
mod shared;
mod unshare;
pub(in crate::commands) mod value;
mod watch;

use clap::Subcommand;

use crate::app::App;
use crate::error::CliError;
pub(crate) use error::{KvError, hint_of_code};

/// Arguments of `coffer kv`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Store a value under a key; a secret one through standard input
    Put(put::Args),
    /// Write the value of a key to standard output, as it is
    Get(get::Args),
    /// Delete a key; it goes to the trash with its history
    Rm(rm::Args),
    /// List keys, or the trash
    Ls(ls::Args),
    /// List the versions of a key that are kept
    History(history::Args),
    /// Show how two versions of a key differ
    Diff(diff::Args),
    /// Store an earlier version anew, or bring a key back from the trash
    Restore(restore::Args),
    /// Give somebody access to a key, or to all keys that begin with a text
    Share(share::Args),
    /// Take somebody's access away
    Unshare(unshare::Args),
    /// List what others share with you, or what you share with others
    Shared(shared::Args),
    /// Show changes as they happen
    Watch(watch::Args),
    /// Show what is known of a key: sizes, versions, who changed it, how often it was used
    Inspect(inspect::Args),
}

/// Works on keys.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    match args.action {
        Action::Put(args) => put::run(args, app).await,
        Action::Get(args) => get::run(args, app).await,
        Action::Rm(args) => rm::run(args, app).await,
        Action::Ls(args) => ls::run(args, app).await,
        Action::History(args) => history::run(args, app).await,
        Action::Diff(args) => diff::run(args, app).await,
        Action::Restore(args) => restore::run(args, app).await,
        Action::Share(args) => share::run(args, app).await,
        Action::Unshare(args) => unshare::run(args, app).await,
        Action::Shared(args) => shared::run(args, app).await,
        Action::Watch(args) => watch::run(args, app).await,
        Action::Inspect(args) => inspect::run(args, app).await,
    }
}
