//! The session that somebody watches in.

use std::time::Duration;

use actix_web::web::Data;
use coffer_api::ErrorCode;
use coffer_auth::Principal;
use coffer_kms_link::{Link, SessionError};
use coffer_server::Token;
use tokio::time::sleep;

/// How often the session is looked at.
const SESSION_LOOK: Duration = Duration::from_millis(250);

/// What must go on for a watch to go on, besides access to what is watched.
pub(in crate::routes) enum Guard {
    /// A session, with what it was when the watch began.
    Session(Data<Link>, Token, Principal),
    /// Nothing.
    None,
}

impl Guard {
    /// Waits until the session is over, or is no longer what it was.
    pub(super) async fn over(&self) -> ErrorCode {
        let Self::Session(link, token, principal) = self else { return std::future::pending().await };
        loop {
            sleep(SESSION_LOOK).await;
            match link.sessions().check(token.expose()).await {
                Ok(found) if found == *principal => {}
                // A role that was changed gives other access.
                Ok(_) => return ErrorCode::AccessDenied,
                Err(SessionError::Invalid) => return ErrorCode::InvalidSession,
                Err(SessionError::Stale | SessionError::Kms(_)) => return ErrorCode::Unavailable,
            }
        }
    }
}
