//! `coffer restore`: a deleted file comes back, or an earlier version becomes the next one.

use coffer_core::FileName;

use super::copies::Way;
use crate::app::App;
use crate::error::CliError;

/// Arguments of `coffer restore`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file
    name: FileName,
    /// Store this version anew; without it, the file comes back from the trash
    #[arg(long, value_name = "NUMBER")]
    version: Option<u64>,
}

/// Restores a file. No content comes here.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let (session, name) = (app.session()?, &args.name);
    let stored = if let Some(version) = args.version {
        Way::back(&session, name, version).go().await?
    } else {
        let restored = session.data.restore_file(name.as_str()).await;
        restored.map_err(|err| CliError::of_file(name, err))?
    };
    app.output.result(&stored, || match args.version {
        Some(earlier) => format!("Restored version {earlier} of {name} as version {}", stored.version),
        None => format!("Restored {name} from the trash, version {}", stored.version),
    })?;
    Ok(())
}
