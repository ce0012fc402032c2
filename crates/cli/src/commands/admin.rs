//! `coffer admin`: users and security events. The server decides who is an administrator.

use clap::Subcommand;
use coffer_api::Role;
use coffer_api::identity::{Event, EventQuery, User, UserChange, UserQuery};
use coffer_core::{EmailAddress, UserId};

use crate::app::{App, Session};
use crate::error::CliError;
use crate::output;

/// Arguments of `coffer admin`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List users
    Users,
    /// Give a user another role
    SetRole {
        /// The user's e-mail address or id
        user: String,
        /// contractor, employee, supervisor or admin
        role: Role,
    },
    /// End all sessions of a user and let no new one begin
    Deactivate {
        /// The user's e-mail address or id
        user: String,
    },
    /// Let a user log in again
    Activate {
        /// The user's e-mail address or id
        user: String,
    },
    /// Show security events, newest first
    Events {
        /// Only events of this kind, such as `login_failed`
        #[arg(long)]
        kind: Option<String>,
        /// Only events that this user did or that happened to them (e-mail address or id)
        #[arg(long)]
        user: Option<String>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
}

/// Administers.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let session = app.session()?;
    match args.action {
        Action::Users => {
            let users = session.kms.users_all(UserQuery::default()).await?;
            app.output.result(&users, || users_table(&users))?;
            Ok(())
        }
        Action::SetRole { user, role } => {
            change(&session, &user, UserChange { role: Some(role), active: None }, app).await
        }
        Action::Deactivate { user } => {
            change(&session, &user, UserChange { role: None, active: Some(false) }, app).await
        }
        Action::Activate { user } => {
            change(&session, &user, UserChange { role: None, active: Some(true) }, app).await
        }
        Action::Events { kind, user, limit } => {
            let user = match user {
                Some(user) => Some(find(&session, &user).await?),
                None => None,
            };
            let query = EventQuery { kind, user, ..EventQuery::default() };
            let events = session.kms.events_newest(query, limit).await?;
            app.output.result(&events, || events_table(&events))?;
            Ok(())
        }
    }
}

async fn change(session: &Session, user: &str, change: UserChange, app: &App) -> Result<(), CliError> {
    let id = find(session, user).await?;
    let user = session.kms.change_user(id, &change).await?;
    app.output.result(&user, || users_table(std::slice::from_ref(&user)))?;
    Ok(())
}

/// The id of the user that `text` names by id or by e-mail address.
async fn find(session: &Session, text: &str) -> Result<UserId, CliError> {
    if let Ok(id) = text.parse::<UserId>() {
        return Ok(id);
    }
    let email: EmailAddress = text.parse()?;
    let query = UserQuery { email: Some(email.as_str().into()), ..UserQuery::default() };
    let found = session.kms.users_all(query).await?;
    let user = found.iter().find(|user| user.email == email.as_str());
    user.map(|user| user.id).ok_or(CliError::UserUnknown { email })
}

fn users_table(users: &[User]) -> String {
    let row = |user: &User| {
        vec![
            user.number.to_string(),
            user.role.to_string(),
            if user.active { "active".into() } else { "deactivated".into() },
            output::when(user.created_at),
            user.email.clone(),
            user.user_name.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = users.iter().map(row).collect();
    output::table(&["NUMBER", "ROLE", "STATE", "SINCE", "E-MAIL", "USER NAME"], &rows)
}

fn events_table(events: &[Event]) -> String {
    let id = |id: Option<UserId>| id.map_or_else(|| "-".into(), |id| id.to_string());
    let row = |event: &Event| {
        let details: Vec<_> = event.details.iter().map(|(name, value)| format!("{name}={value}")).collect();
        vec![
            event.at.to_string(),
            event.kind.clone(),
            id(event.actor),
            event.address.clone().unwrap_or_else(|| "-".into()),
            details.join(" "),
        ]
    };
    let rows: Vec<_> = events.iter().map(row).collect();
    output::table(&["WHEN", "WHAT", "BY", "FROM", "DETAILS"], &rows)
}
