//! Storing a folder with all that is in it.

use coffer_core::FileName;

use super::{Args, name_of};
use crate::app::App;
use crate::error::CliError;
use crate::tree::{Place, Rules, canonical, finish, send};

pub(super) async fn put(args: Args, app: &App) -> Result<(), CliError> {
    let folder = canonical(&args.file)?;
    let tree: FileName = name_of(&folder, args.name)?;
    let session = app.session()?;
    let place = Place { app, session: &session, tree, owner: args.owner, folder, jobs: args.jobs.into() };
    let tally = send(&place, Rules::default()).await?;
    finish(&tally, (app.output, "Stored", place.tree.as_str()))
}
