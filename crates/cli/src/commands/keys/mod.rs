//! `coffer keys`: the keys of files and folders, their versions, and what others did with them.

mod destroy;
mod export;
mod ls;
mod reencrypt;
mod rotate;
mod uses;

use clap::Subcommand;

use crate::app::App;
use crate::error::CliError;

/// Arguments of `coffer keys`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List your keys and their versions
    Ls(ls::Args),
    /// Give a key another version, and wrap what is kept for it
    Rotate(rotate::Args),
    /// Remove old versions of a key for good
    Destroy(destroy::Args),
    /// Show what others did with a key
    Uses(uses::Args),
    /// Write the private key of a file to a file of mode 0600
    Export(export::Args),
}

/// Works on file keys.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    match args.action {
        Action::Ls(args) => ls::run(args, app).await,
        Action::Rotate(args) => rotate::run(args, app).await,
        Action::Destroy(args) => destroy::run(args, app).await,
        Action::Uses(args) => uses::run(args, app).await,
        Action::Export(args) => export::run(args, app).await,
    }
}
