//! `coffer keys export`: the private key of a file, for opening it without a KMS.

use std::path::PathBuf;

use coffer_api::file_keys::ExportFileKey;
use coffer_core::{EmailAddress, FileName, SecretBytes};
use serde_json::json;

use crate::app::App;
use crate::commands::get;
use crate::error::CliError;
use crate::output::printable;
use crate::target::Target;

/// Arguments of `coffer keys export`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file
    name: FileName,
    /// Where to write the key (PEM): a file that only you can read, or - for standard output
    file: PathBuf,
    /// Whose file, when several people's files of this name are within reach
    #[arg(long, value_name = "EMAIL")]
    owner: Option<EmailAddress>,
    /// Replace an existing file
    #[arg(long, short)]
    force: bool,
}

/// Exports a key. The owner sees that it was.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let target = Target::of(Some(&args.file), &args.name);
    if app.output.json && target == Target::Stdout {
        return Err(CliError::JsonAndStdout);
    }
    target.check(args.force)?;
    let owner = args.owner.as_ref().map(|owner| owner.as_str().to_owned());
    let export = ExportFileKey { name: args.name.as_str().into(), owner };
    let exported = app.session()?.kms.export_file_key(&export).await;
    let exported = exported.map_err(|err| CliError::of_file(&args.name, err))?;
    let pem = SecretBytes::new(exported.private_key_pem.expose().as_bytes().to_vec());
    get::write(target.clone(), pem, args.force).await?;
    if let Target::File(path) = target {
        let path = path.display().to_string();
        let told = json!({ "name": args.name, "path": path, "key_version": exported.version });
        app.output.result(&told, || {
            format!("Wrote version {} of the key of {} to {}", exported.version, args.name, printable(&path))
        })?;
    }
    Ok(())
}
