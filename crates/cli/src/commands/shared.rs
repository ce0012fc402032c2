//! `coffer shared`: what others have shared with the caller or, with a name, who has access to that file.

use coffer_api::grants::{Grant, Permission, SharedFile};
use coffer_core::FileName;

use crate::app::App;
use crate::error::CliError;
use crate::output;

/// Arguments of `coffer shared`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A file of yours; without it, what others have shared with you
    name: Option<FileName>,
}

/// Shows what is shared.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let session = app.session()?;
    match args.name {
        None => {
            let files = session.kms.shared_all().await?;
            app.output.result(&files, || files_table(&files))?;
        }
        Some(name) => {
            let grants = session.kms.grants_all(name.as_str()).await;
            let grants = grants.map_err(|err| CliError::of_file(&name, err))?;
            app.output.result(&grants, || grants_table(&grants))?;
        }
    }
    Ok(())
}

fn files_table(files: &[SharedFile]) -> String {
    if files.is_empty() {
        return "Nobody has shared a file with you.".into();
    }
    let rows: Vec<_> = files
        .iter()
        .map(|file| {
            vec![may(file.permission), file.owner.clone(), output::until(file.expires_at), file.name.clone()]
        })
        .collect();
    output::table(&["ACCESS", "OWNER", "UNTIL", "NAME"], &rows)
}

fn grants_table(grants: &[Grant]) -> String {
    if grants.is_empty() {
        return "Nobody else has access.".into();
    }
    let rows: Vec<_> = grants
        .iter()
        .map(|grant| {
            vec![may(grant.permission), output::until(grant.expires_at), grant.grantee_email.clone()]
        })
        .collect();
    output::table(&["ACCESS", "UNTIL", "WHO"], &rows)
}

/// What a grant allows, in a word.
pub(super) fn may(permission: Permission) -> String {
    match permission {
        Permission::Read => "read".into(),
        Permission::Write => "write".into(),
    }
}
