//! `coffer versions`: the versions of a file that are kept.

use coffer_api::files::FileVersion;
use coffer_client::FileAt;
use coffer_core::{EmailAddress, FileName};

use crate::app::App;
use crate::error::CliError;
use crate::output;

/// Arguments of `coffer versions`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file
    name: FileName,
    /// Whose file, when several people's files of this name are within reach
    #[arg(long, value_name = "EMAIL")]
    owner: Option<EmailAddress>,
}

/// Lists versions, the newest first.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let owner = args.owner.as_ref().map(EmailAddress::as_str);
    let file = FileAt { owner, ..FileAt::own(args.name.as_str()) };
    let history = app.session()?.data.file_history(file).await;
    let history = history.map_err(|err| CliError::of_file(&args.name, err))?;
    app.output.result(&history, || table(&history.items))?;
    Ok(())
}

fn table(versions: &[FileVersion]) -> String {
    let row = |version: &FileVersion| {
        let state = match (version.deleted_at, version.replaced_at) {
            (Some(_), _) => "deleted",
            (None, Some(_)) => "replaced",
            (None, None) => "present",
        };
        vec![
            version.version.to_string(),
            output::size(version.size_bytes),
            output::when(version.created_at),
            state.into(),
            output::until(version.kept_until),
        ]
    };
    let rows: Vec<_> = versions.iter().map(row).collect();
    output::table(&["VERSION", "SIZE", "STORED", "STATE", "KEPT UNTIL"], &rows)
}
