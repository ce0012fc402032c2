//! `coffer keys destroy`: old versions of a key are removed for good.

use coffer_api::file_keys::DestroyFileKey;
use coffer_core::FileName;

use super::ls;
use crate::app::App;
use crate::error::CliError;

/// Arguments of `coffer keys destroy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file or the folder that the key was made for
    name: FileName,
    /// Versions up to this one; by default all but the newest
    #[arg(long, value_name = "VERSION")]
    up_to: Option<u32>,
    /// Even if something that is kept needs them: nobody can ever open it again
    #[arg(long)]
    force: bool,
}

/// Destroys versions of a key.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let Args { name, up_to, force } = args;
    let destroy = DestroyFileKey { name: name.as_str().into(), up_to, force };
    let destroyed = app.session()?.kms.destroy_file_key(&destroy).await;
    let versions = destroyed.map_err(|err| CliError::of_file(&name, err))?;
    app.output.result(&versions, || format!("{name} is left with {}", ls::told(&versions)))?;
    Ok(())
}
