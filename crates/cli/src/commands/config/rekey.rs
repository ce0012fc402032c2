//! `coffer config rekey`: moves everything to another user key.

use std::path::{Path, PathBuf};

use coffer_api::configs::ConfigRekey;

use crate::app::App;
use crate::error::CliError;
use crate::output::printable;
use crate::user_key::{KeyArgs, new_user_key};

/// Arguments of `coffer config rekey`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Read the new user key from this file, which only you may read; - is standard input. Without it, it is asked for
    #[arg(long, value_name = "FILE")]
    new_user_key_file: Option<PathBuf>,
}

/// Moves everything. If the answer is lost on the way, one of the two user keys opens everything, and doing it again
/// with that one is right.
pub(crate) async fn run(args: Args, keys: &KeyArgs, app: &App) -> Result<(), CliError> {
    let path = args.new_user_key_file.as_deref();
    let configs = app.configs(keys.read(path == Some(Path::new("-")))?)?;
    let order = ConfigRekey { new_user_key: new_user_key(path)?.into() };
    let moved = configs.rekey(&order).await?;
    app.output
        .result(&moved, || "Everything has moved: the new user key opens it, the old one does not".into())?;
    if let Some(advice) = &moved.key_advice {
        app.output.warn(&printable(advice));
    }
    Ok(())
}
