//! `coffer keys uses`: what others did with a key, also before access was taken away.

use coffer_api::file_keys::KeyUses;
use coffer_core::FileName;

use crate::app::App;
use crate::error::CliError;
use crate::output;

/// Arguments of `coffer keys uses`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file or the folder that the key was made for
    name: FileName,
}

/// Shows uses.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let uses = app.session()?.kms.file_key_uses_all(args.name.as_str()).await;
    let uses = uses.map_err(|err| CliError::of_file(&args.name, err))?;
    app.output.result(&uses, || table(&uses, &args.name))?;
    Ok(())
}

fn table(uses: &[KeyUses], name: &FileName) -> String {
    if uses.is_empty() {
        return format!("Nobody else has used the key of {name}.");
    }
    let or_none = |number: Option<u64>| number.map_or_else(|| "-".into(), |number| number.to_string());
    let row = |of: &KeyUses| {
        vec![
            of.user.clone(),
            output::when(of.first_at),
            output::when(of.last_at),
            of.unwraps.to_string(),
            or_none(of.content_version),
            of.exports.to_string(),
            or_none(of.exported_version.map(u64::from)),
        ]
    };
    let rows: Vec<_> = uses.iter().map(row).collect();
    output::table(&["USER", "FIRST", "LAST", "OPENED", "UP TO VERSION", "EXPORTED", "KEY VERSION"], &rows)
}
