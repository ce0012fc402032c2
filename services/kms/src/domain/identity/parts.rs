//! What identity works with, and the one value that does all of it.

use std::sync::Arc;

use coffer_api::{AddressHash, SessionHash};
use coffer_auth::password::Hasher;
use coffer_core::{Clock, EmailAddress, Random, Timestamp};
use coffer_crypto::index::IndexKey;
use coffer_store::records::Sealed;
use tokio::sync::Semaphore;

use super::lately::LatelyLive;
use super::limiter::Limiter;
use crate::config::{AuthSettings, LimitSettings};
use crate::domain::events::Events;
use crate::domain::feed::Feed;
use crate::domain::mail::Outbox;
use crate::domain::recent::Recent;
use crate::repo::address::AddressRepo;
use crate::repo::limit::LimitRepo;
use crate::repo::session::SessionRepo;
use crate::repo::user::{Profile, UserRepo};
use crate::repo::user_name::UserNameRepo;
use crate::repo::user_number::UserNumberRepo;

/// What [`Identity`] works with.
#[derive(Debug)]
pub struct IdentityParts {
    /// Where everything is kept.
    pub store: Sealed,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for ids, codes and tokens.
    pub random: Arc<dyn Random>,
    /// Blinds addresses and names.
    pub index: Arc<IndexKey>,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// Records what happened.
    pub events: Arc<Events>,
    /// Tells other services what to forget.
    pub feed: Arc<Feed>,
    /// Sends codes.
    pub outbox: Outbox,
    /// How people log in, and for how long.
    pub auth: AuthSettings,
    /// How often something may be tried.
    pub limits: LimitSettings,
}

/// Everything about users, for one process. Share it in an [`Arc`].
#[derive(Debug)]
pub struct Identity {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) index: Arc<IndexKey>,
    pub(super) hasher: Hasher,
    pub(super) events: Arc<Events>,
    pub(super) feed: Arc<Feed>,
    pub(super) outbox: Outbox,
    pub(super) auth: AuthSettings,
    pub(super) limits: LimitSettings,
    pub(super) limiter: Limiter,
    pub(super) addresses: AddressRepo,
    pub(super) users: UserRepo,
    pub(super) names: UserNameRepo,
    pub(super) numbers: UserNumberRepo,
    pub(super) sessions: SessionRepo,
    /// For [`Identity::lately_live`] alone.
    pub(super) lately: Recent<SessionHash, LatelyLive>,
    /// Permits for work that goes on behind an answer.
    pub(super) behind: Arc<Semaphore>,
}

/// Pieces of work that go on behind an answer, at most.
const BEHIND_MAX: usize = 64;
/// Sessions that are remembered for a moment, at most; each takes about 200 bytes.
const SESSIONS_REMEMBERED_MAX: u64 = 8192;

/// An e-mail address in the form in which storage and other services know it.
pub fn blind_address(index: &IndexKey, email: &EmailAddress) -> AddressHash {
    AddressHash::from_bytes(index.blind("email", email.as_str().as_bytes()))
}

impl Identity {
    /// Puts the parts together.
    pub fn new(parts: IdentityParts) -> Self {
        let IdentityParts { store, clock, random, index, hasher, events, feed, outbox, auth, limits } = parts;
        let limiter = Limiter {
            repo: LimitRepo::new(store.clone()),
            index: Arc::clone(&index),
            clock: Arc::clone(&clock),
        };
        Self {
            addresses: AddressRepo::new(store.clone()),
            users: UserRepo::new(store.clone()),
            names: UserNameRepo::new(store.clone()),
            numbers: UserNumberRepo::new(store.clone()),
            sessions: SessionRepo::new(store),
            lately: Recent::new(SESSIONS_REMEMBERED_MAX, feed.changes().clone(), Arc::clone(&clock)),
            behind: Arc::new(Semaphore::new(BEHIND_MAX)),
            limiter,
            clock,
            random,
            index,
            hasher,
            events,
            feed,
            outbox,
            auth,
            limits,
        }
    }

    /// Where letters with codes go in.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The address for which a user may be granted something: his own once it is proved, and until then one
    /// that nobody can name.
    pub(super) fn address_of(&self, user: &Profile) -> AddressHash {
        if user.verified {
            return self.blind(&user.email);
        }
        AddressHash::from_bytes(self.index.blind("user without a proved address", user.id.as_bytes()))
    }

    /// An address in the form in which grants know it.
    pub fn blind(&self, email: &EmailAddress) -> AddressHash {
        blind_address(&self.index, email)
    }
}
