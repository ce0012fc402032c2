//! Sessions: opening, checking, using, listing and ending them.
//!
//! A session is live if its record is, it was used within the idle time, its user is active, and its epoch is its
//! user's. So raising a user's epoch, one commit in his partition, ends all his sessions at once. What
//! other services remember ends through the feed, before the caller is answered.

use std::time::Duration;

use coffer_api::internal::{FeedEvent, LiveSession, SessionTouch};
use coffer_api::{AddressHash, Amr, SessionHash};
use coffer_auth::Principal;
use coffer_auth::token::OpaqueToken;
use coffer_core::{Timestamp, UserId};

use super::client::Client;
use super::error::IdentityError;
use super::log_in::OpenedSession;
use super::parts::Identity;
use crate::domain::events::{Action, Event, Origin};
use crate::repo::address::Versioned;
use crate::repo::session::StoredSession;
use crate::repo::user::{Profile, SessionEntry};

/// The last use is written when it is so much later than the one written before.
const TOUCH_GRANULARITY_MAX: Duration = Duration::from_mins(1);

/// A live session and whose it is.
#[derive(Clone, Debug)]
pub struct LiveUser {
    /// The session's name.
    pub session: SessionHash,
    /// The session.
    pub stored: StoredSession,
    /// Whose it is.
    pub user: Profile,
    /// The user's address, blinded.
    pub address_hash: AddressHash,
    /// When it ends unless it is used before.
    pub idle_expires_at: Timestamp,
}

impl LiveUser {
    /// The user as one who calls.
    pub fn principal(&self) -> Principal {
        Principal {
            user_id: self.user.id,
            role: self.user.role,
            session: self.session,
            second_factor: self.stored.amr.contains(&Amr::Otp),
            address_hash: self.address_hash,
        }
    }

    /// The session in the form in which other services know it.
    pub fn wire(&self) -> LiveSession {
        LiveSession {
            user_id: self.user.id,
            address_hash: self.address_hash,
            role: self.user.role,
            amr: self.stored.amr.clone(),
            session: self.session,
            idle_expires_at: self.idle_expires_at,
            absolute_expires_at: self.stored.expires_at,
        }
    }
}

/// A live session in its user's list.
#[derive(Clone, Debug)]
pub struct SessionView {
    /// Its name.
    pub session: SessionHash,
    /// The session.
    pub stored: StoredSession,
}

impl Identity {
    /// Opens a session for a user who has just proved who he is.
    pub(super) async fn open_session(
        &self,
        user: Profile,
        amr: Vec<Amr>,
        client: &Client,
    ) -> Result<OpenedSession, IdentityError> {
        let now = self.now();
        let token = OpaqueToken::make(&*self.random);
        let session = SessionHash::from_bytes(token.hash());
        let expires_at = now.plus(self.auth.session_lifetime());
        let stored = StoredSession {
            user_id: user.id,
            epoch: user.session_epoch,
            amr: amr.clone(),
            created_at: now,
            last_used_at: now,
            expires_at,
            address: client.origin.address.map(|address| address.to_string()),
        };
        self.make_room_for_session(user.id).await?;
        // Listed first: a session that nobody could list, nobody could end.
        self.users.add_session(user.id, SessionEntry { hash: session, created_at: now }, expires_at).await?;
        self.sessions.create(&session, &stored).await?;
        let device = self.remember_place(user.id, client).await?;
        let succeeded = Event::new(Action::LoginSucceeded { session, amr }).by_user(user.id);
        self.events.record(succeeded.from(&client.origin)).await?;
        Ok(OpenedSession { token: token.into_text(), session, expires_at, device, user })
    }

    async fn make_room_for_session(&self, user: UserId) -> Result<(), IdentityError> {
        let listed = self.users.sessions(user).await?;
        let beyond = (listed.len() + 1).saturating_sub(self.auth.sessions_per_user_max.max(1));
        for entry in &listed[..beyond] {
            self.end(user, entry.hash).await?;
        }
        Ok(())
    }

    /// Whose live session `token` opens. A use that is long enough after the last is written down.
    pub async fn check_session(&self, token: &str) -> Result<Option<LiveUser>, IdentityError> {
        let Some(token) = OpaqueToken::parse(token) else { return Ok(None) };
        self.live_user(SessionHash::from_bytes(token.hash())).await
    }

    /// Whose live session this is, as [`check_session`](Self::check_session) says it.
    pub async fn live_user(&self, session: SessionHash) -> Result<Option<LiveUser>, IdentityError> {
        let Some(stored) = self.sessions.load(&session).await? else { return Ok(None) };
        let Some(user) = self.users.load(stored.value.user_id).await? else { return Ok(None) };
        let now = self.now();
        if !self.is_live(&stored.value, &user.value, now) {
            return Ok(None);
        }
        let stored = self.touch(&session, stored, now).await?;
        let address_hash = self.address_of(&user.value);
        let idle = stored.last_used_at.plus(self.auth.session_ttl());
        let idle_expires_at = idle.min(stored.expires_at);
        Ok(Some(LiveUser { session, stored, user: user.value, address_hash, idle_expires_at }))
    }

    fn is_live(&self, stored: &StoredSession, user: &Profile, now: Timestamp) -> bool {
        user.active
            && user.session_epoch == stored.epoch
            && now < stored.expires_at
            && now < stored.last_used_at.plus(self.auth.session_ttl())
    }

    /// From when on a use of the session is written down.
    pub(super) fn touch_due_at(&self, stored: &StoredSession) -> Timestamp {
        let granularity = TOUCH_GRANULARITY_MAX.min(self.auth.session_ttl() / 20);
        stored.last_used_at.plus(granularity.max(Duration::from_millis(1)))
    }

    async fn touch(
        &self,
        session: &SessionHash,
        read: Versioned<StoredSession>,
        used_at: Timestamp,
    ) -> Result<StoredSession, IdentityError> {
        if used_at < self.touch_due_at(&read.value) {
            return Ok(read.value);
        }
        let used = StoredSession { last_used_at: used_at, ..read.value.clone() };
        // If somebody else wrote meanwhile, it was a use of about the same time, or the end.
        self.sessions.update(session, &read, &used).await?;
        Ok(used)
    }

    /// Writes down when sessions were last used elsewhere. What is not live, in the future or older than
    /// what is known is passed over.
    pub async fn touch_sessions(&self, touches: &[SessionTouch]) -> Result<(), IdentityError> {
        let now = self.now();
        for touch in touches {
            let Some(stored) = self.sessions.load(&touch.session).await? else { continue };
            let used_at = touch.last_used_at.min(now);
            // A use counts if the session was live when it happened.
            if used_at < stored.value.last_used_at.plus(self.auth.session_ttl()) {
                self.touch(&touch.session, stored, used_at).await?;
            }
        }
        Ok(())
    }

    /// The live sessions of a user, newest first.
    pub async fn list_sessions(&self, user: &Profile) -> Result<Vec<SessionView>, IdentityError> {
        let now = self.now();
        let mut views = Vec::new();
        for entry in self.users.sessions(user.id).await?.into_iter().rev() {
            let stored = self.sessions.load(&entry.hash).await?;
            if let Some(stored) = stored.filter(|stored| self.is_live(&stored.value, user, now)) {
                views.push(SessionView { session: entry.hash, stored: stored.value });
            }
        }
        Ok(views)
    }

    /// Ends one of a user's sessions, everywhere.
    pub async fn end_session(
        &self,
        user: UserId,
        session: SessionHash,
        origin: &Origin,
    ) -> Result<(), IdentityError> {
        let stored = self.sessions.load(&session).await?;
        if stored.is_none_or(|stored| stored.value.user_id != user) {
            // Another process may have ended it a moment ago; who is told that it is over must find it so here.
            self.forget_lately();
            return Err(IdentityError::SessionNotFound);
        }
        self.end(user, session).await?;
        let ended = Event::new(Action::SessionEnded { session }).by_user(user).from(origin);
        Ok(self.events.record(ended).await?)
    }

    async fn end(&self, user: UserId, session: SessionHash) -> Result<(), IdentityError> {
        let delete = async { Ok::<_, IdentityError>(self.sessions.delete(&session).await?) };
        self.feed.around(FeedEvent::SessionEnded(session), delete).await?;
        Ok(self.users.remove_sessions(user, &[session]).await?)
    }

    /// Ends all sessions of a user, everywhere; says how many were live.
    pub async fn end_all_sessions(&self, user: &Profile, origin: &Origin) -> Result<usize, IdentityError> {
        let live = self.list_sessions(user).await?.len();
        self.change_user(user.id, |now| Profile { session_epoch: now.session_epoch + 1, ..now.clone() })
            .await?;
        let ended = Event::new(Action::SessionsEnded).by_user(user.id).from(origin);
        self.events.record(ended).await?;
        Ok(live)
    }
}
