//! A KMS for tests: says what it is told to say, counts what it is asked, and can be slow or gone.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use coffer_api::internal::{
    BATCH_ITEMS_MAX, FeedAnswer, FeedEvent, LiveSession, SessionTouch, WrappedKeyring,
};
use coffer_api::{AddressHash, Amr, Role, SessionHash};
use coffer_auth::service_token::ServiceName;
use coffer_core::{SeededRandom, Timestamp, UserId, base64};
use coffer_crypto::hash::sha256;
use coffer_crypto::keyring::{Keyring, handover_seal};
use tokio::sync::Semaphore;

use crate::kms::{Kms, KmsError};

/// The moment at which every test begins.
pub const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);
/// The secret that the KMS and the service share.
pub const SERVICE_SECRET: &str = "a secret of at least thirty-two bytes";
/// How long a session of a test lasts unused.
pub const IDLE: Duration = Duration::from_hours(1);

/// The user of this number.
pub fn user(number: u64) -> UserId {
    UserId::make(START, &SeededRandom::new(number))
}

/// The name of the session that `token` opens.
pub fn hash_of(token: &str) -> SessionHash {
    SessionHash::from_bytes(sha256(token.as_bytes()))
}

/// The blinded address of a user.
pub fn address_of(user_id: UserId) -> AddressHash {
    AddressHash::from_bytes(sha256(user_id.as_bytes()))
}

fn live_session(token: &str, user_id: UserId, role: Role) -> LiveSession {
    LiveSession {
        user_id,
        address_hash: address_of(user_id),
        role,
        amr: vec![Amr::Pwd, Amr::Otp],
        session: hash_of(token),
        idle_expires_at: START.plus(IDLE),
        absolute_expires_at: START.plus(IDLE * 24),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A KMS that tests move.
#[derive(Debug)]
pub struct FakeKms {
    /// Whether it answers nothing.
    pub is_gone: AtomicBool,
    /// Whose keyring it hands over.
    pub service: ServiceName,
    /// The keyring that it hands over.
    pub keyring: Keyring,
    /// Live sessions by their tokens.
    pub sessions: Mutex<HashMap<String, LiveSession>>,
    /// How often it was asked for a session.
    pub session_checks: AtomicUsize,
    /// What was reported.
    pub touches: Mutex<Vec<SessionTouch>>,
    /// The feed.
    pub events: Mutex<Vec<FeedEvent>>,
    /// The oldest position that the feed still knows.
    pub feed_begins: Mutex<u64>,
    /// An answer to a session check is worked out, then waits for a permit before it is given.
    pub answers: Semaphore,
}

impl FakeKms {
    /// A KMS that knows nobody, with a keyring for `service`.
    pub fn of(service: ServiceName) -> Self {
        Self {
            is_gone: AtomicBool::new(false),
            service,
            keyring: Keyring::create(START, &SeededRandom::new(4)),
            sessions: Mutex::default(),
            session_checks: AtomicUsize::new(0),
            touches: Mutex::default(),
            events: Mutex::default(),
            feed_begins: Mutex::default(),
            answers: Semaphore::new(Semaphore::MAX_PERMITS),
        }
    }

    /// An error if the KMS is gone.
    pub fn reachable(&self, doing: &'static str) -> Result<(), KmsError> {
        if self.is_gone.load(Ordering::SeqCst) {
            return Err(KmsError { doing, source: "gone".into() });
        }
        Ok(())
    }

    /// Opens a session of an employee with this token.
    pub fn log_in(&self, token: &str, user_id: UserId) {
        self.log_in_as(token, user_id, Role::Employee);
    }

    /// Opens a session of a user who has this role.
    pub fn log_in_as(&self, token: &str, user_id: UserId, role: Role) {
        locked(&self.sessions).insert(token.to_owned(), live_session(token, user_id, role));
    }

    /// Ends a session.
    pub fn log_out(&self, token: &str) {
        locked(&self.sessions).remove(token);
        self.tell(FeedEvent::SessionEnded(hash_of(token)));
    }

    /// Puts an event on the feed.
    pub fn tell(&self, event: FeedEvent) {
        locked(&self.events).push(event);
    }
}

#[async_trait]
impl Kms for FakeKms {
    async fn keyring(&self) -> Result<WrappedKeyring, KmsError> {
        let doing = "fetching the keyring";
        self.reachable(doing)?;
        let (secret, random) = (SERVICE_SECRET.as_bytes(), SeededRandom::new(3));
        let handed = handover_seal(&self.keyring, secret, self.service.as_str(), &random)
            .map_err(|source| KmsError { doing, source: source.into() })?;
        let mut wrapped = Vec::new();
        base64::encode(&handed, &mut wrapped);
        let wrapped =
            String::from_utf8(wrapped).map_err(|source| KmsError { doing, source: source.into() })?;
        Ok(WrappedKeyring { wrapped })
    }

    async fn check_session(&self, token: &str) -> Result<Option<LiveSession>, KmsError> {
        let doing = "checking a session";
        self.reachable(doing)?;
        self.session_checks.fetch_add(1, Ordering::SeqCst);
        let answer = locked(&self.sessions).get(token).cloned();
        let permit = self.answers.acquire().await;
        permit.map_err(|source| KmsError { doing, source: source.into() })?.forget();
        Ok(answer)
    }

    async fn touch(&self, touches: &[SessionTouch]) -> Result<(), KmsError> {
        self.reachable("reporting touches")?;
        locked(&self.touches).extend_from_slice(touches);
        let mut sessions = locked(&self.sessions);
        for touch in touches {
            for live in sessions.values_mut().filter(|live| live.session == touch.session) {
                live.idle_expires_at = live.idle_expires_at.max(touch.last_used_at.plus(IDLE));
            }
        }
        Ok(())
    }

    async fn feed(&self, after: Option<u64>) -> Result<FeedAnswer, KmsError> {
        self.reachable("following the feed")?;
        let events = locked(&self.events);
        let end = events.len();
        let position = |at: usize| u64::try_from(at).unwrap_or(u64::MAX);
        let Some(after) = after else {
            return Ok(FeedAnswer { position: position(end), ..FeedAnswer::default() });
        };
        if after < *locked(&self.feed_begins) {
            return Ok(FeedAnswer { position: position(end), reset: true, ..FeedAnswer::default() });
        }
        let after = usize::try_from(after).unwrap_or(end).min(end);
        let until = end.min(after + BATCH_ITEMS_MAX);
        Ok(FeedAnswer { position: position(until), events: events[after..until].to_vec(), reset: false })
    }
}
