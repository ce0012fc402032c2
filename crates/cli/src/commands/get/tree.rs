//! Fetching a folder with all that is in it.

use std::path::PathBuf;

use super::Args;
use crate::app::App;
use crate::error::CliError;
use crate::target::TargetError;
use crate::tree::{Place, Rules, fetch, finish, made};

pub(super) async fn get(args: Args, app: &App) -> Result<(), CliError> {
    let last = args.name.as_str().rsplit('/').next().unwrap_or_default();
    let folder = args.file.unwrap_or_else(|| PathBuf::from(last));
    if folder.as_os_str() == "-" {
        return Err(TargetError::NotPlain { path: folder }.into());
    }
    let session = app.session()?;
    let folder = made(&folder)?;
    let place =
        Place { app, session: &session, tree: args.name, owner: None, folder, jobs: args.jobs.into() };
    let tally = fetch(&place, Rules { force: args.force, ..Rules::default() }).await?;
    finish(&tally, (app.output, "Fetched", place.tree.as_str()))
}
