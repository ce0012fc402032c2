//! `coffer sync`: a folder here and one in the store are made alike, by what has changed.

use std::path::PathBuf;

use coffer_core::FileName;

use crate::app::App;
use crate::error::CliError;
use crate::tree::{Place, Rules, canonical, fetch, finish, made, send};

/// Arguments of `coffer sync`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Args {
    /// The folder here
    folder: PathBuf,
    /// Its name in the store
    name: FileName,
    /// From the store to here; by default what has changed here goes to the store
    #[arg(long)]
    down: bool,
    /// Also remove what is gone: from the store what is not here, where it can be brought back for a while; with --down
    /// from here what was there before and has not changed here since
    #[arg(long)]
    delete: bool,
    /// Only say what would be copied (+) and removed (-)
    #[arg(long)]
    dry_run: bool,
    /// Replace also what has changed on the other side
    #[arg(long, short)]
    force: bool,
    /// How many files are sent or fetched at the same time
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
}

/// Copies what has changed.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let session = app.session()?;
    let folder = if args.down && !args.dry_run { made(&args.folder)? } else { canonical(&args.folder)? };
    let place =
        Place { app, session: &session, tree: args.name, owner: None, folder, jobs: args.jobs.into() };
    let rules = Rules { force: args.force, sync: true, delete: args.delete, dry_run: args.dry_run };
    let (tally, verb) = if args.down {
        (fetch(&place, rules).await?, "Fetched")
    } else {
        (send(&place, rules).await?, "Stored")
    };
    finish(&tally, (app.output, verb, place.tree.as_str()))
}
