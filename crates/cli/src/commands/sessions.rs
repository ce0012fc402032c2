//! `coffer sessions`: the caller's live sessions, and ending them.

use clap::Subcommand;
use coffer_api::identity::Session;
use serde_json::json;

use crate::app::{self, App};
use crate::error::CliError;
use crate::output;

/// Digits of a session's id that are shown, and that suffice to name it.
const ID_CHARS_SHOWN: usize = 12;
/// Fewer digits than this may name a session that was not meant.
const ID_CHARS_MIN: usize = 6;

/// Arguments of `coffer sessions`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List your sessions (the default)
    List,
    /// End one session, or all of them
    End {
        /// The session's id, or how it begins
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<String>,
        /// End all sessions, this one included
        #[arg(long)]
        all: bool,
    },
}

/// Lists or ends sessions.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let session = app.session()?;
    match args.action {
        None | Some(Action::List) => {
            let list = session.kms.sessions().await?.items;
            app.output.result(&list, || table(&list))?;
        }
        Some(Action::End { id: Some(id), .. }) => end_one(&id, &session, app).await?,
        Some(Action::End { id: None, .. }) => {
            let ended = session.kms.end_all_sessions().await?;
            app.store.remove(&app.kms)?;
            app.output.result(&ended, || format!("Ended {} sessions, this one included", ended.ended))?;
        }
    }
    Ok(())
}

async fn end_one(id: &str, session: &app::Session, app: &App) -> Result<(), CliError> {
    let list = session.kms.sessions().await?.items;
    let ended = find(&list, id)?;
    session.kms.end_session(&ended.id).await?;
    if ended.current {
        app.store.remove(&app.kms)?;
    }
    app.output.result(&json!({ "ended": ended.id }), || format!("Ended session {}", short(&ended.id)))?;
    Ok(())
}

/// The one session whose id is `id` or begins so.
fn find<'a>(list: &'a [Session], id: &str) -> Result<&'a Session, CliError> {
    if id.len() < ID_CHARS_MIN || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(CliError::SessionId { chars_min: ID_CHARS_MIN });
    }
    let wanted = id.to_ascii_lowercase();
    let mut matching = list.iter().filter(|session| session.id.starts_with(&wanted));
    match (matching.next(), matching.next()) {
        (Some(session), None) => Ok(session),
        (Some(_), Some(_)) => Err(CliError::SessionAmbiguous { id: id.into() }),
        (None, _) => Err(CliError::SessionUnknown { id: id.into() }),
    }
}

fn short(id: &str) -> String {
    id.chars().take(ID_CHARS_SHOWN).collect()
}

fn table(list: &[Session]) -> String {
    let row = |session: &Session| {
        vec![
            short(&session.id),
            output::when(session.created_at),
            output::when(session.last_used_at),
            session.address.clone().unwrap_or_else(|| "-".into()),
            if session.current { "this one".into() } else { String::new() },
        ]
    };
    output::table(&["ID", "SINCE", "LAST USED", "FROM", ""], &list.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use coffer_core::Timestamp;

    use super::*;

    fn session(id: &str) -> Session {
        let moment = Timestamp::from_ms(0);
        Session {
            id: id.into(),
            current: false,
            amr: Vec::new(),
            created_at: moment,
            last_used_at: moment,
            expires_at: moment,
            address: None,
        }
    }

    #[test]
    fn the_beginning_of_an_id_names_a_session_only_if_it_is_the_only_one() {
        let list = [session("abcdef01"), session("abcdef02"), session("0123456789")];
        assert_eq!(find(&list, "ABCDEF01").unwrap().id, "abcdef01");
        assert_eq!(find(&list, "012345").unwrap().id, "0123456789");
        assert!(matches!(find(&list, "abcdef"), Err(CliError::SessionAmbiguous { .. })));
        assert!(matches!(find(&list, "ffffff"), Err(CliError::SessionUnknown { .. })));
        assert!(matches!(find(&list, "01234"), Err(CliError::SessionId { .. })));
        assert!(matches!(find(&list, "../../x"), Err(CliError::SessionId { .. })));
    }
}
