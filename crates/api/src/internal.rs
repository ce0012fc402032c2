//! Wire types of the internal listener, service to service (paths in [`crate::paths::internal`]).
//!
//! Every call is a POST with JSON both ways and a service token in `Authorization`. A service forwards
//! the user's own session token and is told who that is; nothing here lets a service assert a user it has
//! no token of, except where the answer tells only about names and places (`access`), never about keys.

pub mod heads;
pub mod users;

use coffer_core::{EmailAddress, FileName, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use crate::file_keys::Covers;
use crate::grants::Permission;
use crate::{AddressHash, Amr, Role, SessionHash, WireSecret};

/// Most items in one batch of [`SessionTouches`], or in one answer of the feed.
pub const BATCH_ITEMS_MAX: usize = 1000;

/// Asks for the keyring of the calling service.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyringRequest {}

/// A keyring, sealed under a key that only the KMS and the calling service can derive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WrappedKeyring {
    /// The sealed export of the keyring, in base64.
    pub wrapped: String,
}

/// Asks whose session a token opens.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionCheck {
    /// The session token as the user sent it.
    pub token: WireSecret,
}

/// What a token opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// A live session.
    Live(LiveSession),
    /// Nothing: never a session, or ended, or of a user who may no longer act.
    Ended,
}

/// A live session and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveSession {
    /// Whose session this is.
    pub user_id: UserId,
    /// The user's verified address, blinded.
    pub address_hash: AddressHash,
    /// What the user may do.
    pub role: Role,
    /// How the session was opened.
    pub amr: Vec<Amr>,
    /// The session's name.
    pub session: SessionHash,
    /// When it ends unless it is used before.
    pub idle_expires_at: Timestamp,
    /// When it ends whatever happens.
    pub absolute_expires_at: Timestamp,
}

/// When sessions were last used; at most [`BATCH_ITEMS_MAX`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionTouches {
    /// One item for each session.
    pub touches: Vec<SessionTouch>,
}

/// When one session was last used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionTouch {
    /// The session.
    pub session: SessionHash,
    /// Its last use; the KMS ignores what is in the future or before what it knows.
    pub last_used_at: Timestamp,
}

/// An answer that says nothing but that it was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}

/// Asks where a name leads for a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessRequest {
    /// Who asks.
    pub user_id: UserId,
    /// The name.
    pub file_name: FileName,
    /// Whose file is meant, when the user says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_email: Option<EmailAddress>,
    /// What for.
    pub permission: Permission,
}

/// Where a name leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// To a file that the user may use.
    Found {
        /// The name space the file lies in: its owner's id.
        space: UserId,
        /// When the access ends, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// Nowhere, as far as this user may know.
    NotFound,
    /// To a file that the user may not, or no longer, use.
    Denied,
}

/// Asks for a page of the files that others shared with a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedRequest {
    /// Who asks.
    pub user_id: UserId,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// One file that somebody shared; the answer is a [`crate::Page`] of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedName {
    /// The name space the file lies in: its owner's id.
    pub space: UserId,
    /// Its name there.
    pub file_name: FileName,
    /// Whether it is one file or all in a folder.
    #[serde(default)]
    pub covers: Covers,
}

/// Asks what was revoked since a position of the feed.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedRequest {
    /// `position` of the answer before; absent at the start, which only asks for the position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

/// What was revoked; at most [`BATCH_ITEMS_MAX`] events, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedAnswer {
    /// The events after the position that was asked for.
    pub events: Vec<FeedEvent>,
    /// Where to go on. If `events` is full, go on at once.
    pub position: u64,
    /// The feed no longer reaches back to where was asked: forget everything cached.
    #[serde(default)]
    pub reset: bool,
}

/// One revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedEvent {
    /// This session is over.
    SessionEnded(SessionHash),
    /// Forget every session and all access of this user.
    UserChanged(UserId),
    /// Forget all access of this subject.
    AccessChanged(AccessSubject),
}

/// Whose access has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessSubject {
    /// The user with this verified address.
    Address(AddressHash),
    /// This user.
    User(UserId),
}

/// Asks whether a file was uploaded.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileExistsRequest {
    /// The name space: the owner's id.
    pub space: UserId,
    /// The name.
    pub file_name: FileName,
}

/// Whether a file was uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileExistsAnswer {
    /// Whether it was.
    pub exists: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_session_token_is_not_printed() {
        let check = SessionCheck { token: "planted-token".into() };
        assert!(!format!("{check:?}").contains("planted"));
        assert_eq!(serde_json::to_value(&check).unwrap(), json!({ "token": "planted-token" }));
    }

    #[test]
    fn events_are_told_apart_by_their_name() {
        let event = FeedEvent::SessionEnded(SessionHash::from_bytes([1; 32]));
        assert_eq!(serde_json::to_value(event).unwrap(), json!({ "session_ended": "01".repeat(32) }));
        assert_eq!(serde_json::to_value(Access::Denied).unwrap(), json!("denied"));
    }
}
