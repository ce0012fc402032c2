//! `coffer get`: fetches a file and decrypts it here, or a whole folder.
//!
//! The KMS opens what is wrapped for the file key; the private key stays there.

mod classic;
mod envelope;
mod tree;

use std::path::PathBuf;

use coffer_api::ErrorCode;
use coffer_core::{EmailAddress, FileName};
use serde_json::json;

use crate::app::App;
use crate::error::CliError;
use crate::output::{self, printable};
use crate::target::Target;

pub(super) use classic::write;

/// Arguments of `coffer get`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file's name in the store
    name: FileName,
    /// Where to write it: a file, a folder, or - for standard output; by default here, under its own name. With -r the
    /// folder that gets what is in the stored one
    file: Option<PathBuf>,
    /// Whose file, when several people's files of this name are within reach
    #[arg(long, value_name = "EMAIL")]
    owner: Option<EmailAddress>,
    /// Which version; by default the present one
    #[arg(long, value_name = "NUMBER", conflicts_with = "classic")]
    version: Option<u64>,
    /// Replace an existing file
    #[arg(long, short)]
    force: bool,
    /// Expect the classic envelope; without this, either kind is read
    #[arg(long)]
    classic: bool,
    /// Fetch a folder with all that is in it. What is here already and the same is passed over, so after an interruption
    /// the same command goes on
    #[arg(long, short, conflicts_with_all = ["classic", "version", "owner"])]
    recursive: bool,
    /// With -r: how many files are fetched at the same time
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
}

/// Fetches a file.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    if args.recursive {
        return tree::get(args, app).await;
    }
    let target = Target::of(args.file.as_deref(), &args.name);
    if app.output.json && target == Target::Stdout {
        return Err(CliError::JsonAndStdout);
    }
    target.check(args.force)?;
    let session = app.session()?;
    let size_bytes = if args.classic {
        classic::get(&session, (&args, target.clone()), app).await?
    } else {
        match envelope::get(&session, (&args, target.clone()), app).await {
            // Then it may be one of the original clients' files.
            Err(err) if err.code() == Some(ErrorCode::FileNotFound) && args.version.is_none() => {
                classic::get(&session, (&args, target.clone()), app).await?
            }
            outcome => outcome?,
        }
    };
    if let Target::File(path) = target {
        let path = path.display().to_string();
        let written = json!({ "name": args.name, "path": path, "size_bytes": size_bytes });
        app.output
            .result(&written, || format!("Wrote {} ({})", printable(&path), output::size(size_bytes)))?;
    }
    Ok(())
}
