//! `coffer rm`: deletes files. They can be brought back for a while.

use coffer_client::FileAt;
use coffer_core::{EmailAddress, FileName};
use serde_json::json;

use crate::app::App;
use crate::error::CliError;

/// Arguments of `coffer rm`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The files
    #[arg(required = true)]
    names: Vec<FileName>,
    /// Whose files, who has let you write
    #[arg(long, value_name = "EMAIL")]
    owner: Option<EmailAddress>,
}

/// Deletes files, one after the other; the first that cannot be deleted ends it.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let session = app.session()?;
    for name in &args.names {
        let owner = args.owner.as_ref().map(EmailAddress::as_str);
        let file = FileAt { owner, ..FileAt::own(name.as_str()) };
        session.data.delete_file(file).await.map_err(|err| CliError::of_file(name, err))?;
        if !app.output.json {
            app.output.result(&json!(null), || format!("Deleted {name}; coffer restore brings it back"))?;
        }
    }
    if app.output.json {
        app.output.result(&json!({ "deleted": args.names }), String::new)?;
    }
    Ok(())
}
