//! Sessions, checked in memory.
//!
//! The first request of a session asks the KMS; later ones cost a hash and a look-up. See
//! [`Freshness`] for why that is safe.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use coffer_api::SessionHash;
use coffer_api::internal::{LiveSession, SessionTouch};
use coffer_auth::Principal;
use coffer_core::{Clock, Timestamp, UserId};
use coffer_crypto::hash::sha256;
use coffer_server::{AuthenticationError, Authenticator, Token};

use crate::freshness::{Freshness, Mark};
use crate::kms::{Kms, KmsError};
use crate::sharded::Sharded;
use crate::touches::Touches;

/// Sessions kept in memory, at most.
pub const SESSIONS_MAX: usize = 100_000;
/// A token longer than this is none of ours.
const TOKEN_BYTES_MAX: usize = 256;
/// A session in use is reported at least this often.
const REPORT_EVERY_MAX: Duration = Duration::from_secs(15);

/// Why a request has no session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The token is absent, unknown, expired or revoked.
    #[error("no live session")]
    Invalid,
    /// Whether there is a session cannot be said now.
    #[error("sessions cannot be checked: the revocation feed is not being followed")]
    Stale,
    /// The KMS did not answer.
    #[error(transparent)]
    Kms(#[from] KmsError),
}

/// A live session, shared by the requests that use it.
#[derive(Debug)]
struct Session {
    principal: Principal,
    asked_at: Mark,
    idle_expires_at: Timestamp,
    absolute_expires_at: Timestamp,
    report_every_ms: i64,
    reported_at_ms: AtomicI64,
}

impl Session {
    fn new(live: &LiveSession, asked_at: Mark, now: Timestamp) -> Self {
        // An eighth of the idle time, so that a session in steady use never looks idle to the KMS.
        let idle = live.idle_expires_at.since(now);
        let report_every = (idle / 8).min(REPORT_EVERY_MAX);
        Self {
            principal: Principal::from(live),
            asked_at,
            idle_expires_at: live.idle_expires_at,
            absolute_expires_at: live.absolute_expires_at,
            report_every_ms: i64::try_from(report_every.as_millis()).unwrap_or(i64::MAX),
            // Checking a session counts as no use, so the first use is reported.
            reported_at_ms: AtomicI64::new(i64::MIN),
        }
    }

    fn is_live(&self, now: Timestamp) -> bool {
        now < self.idle_expires_at && now < self.absolute_expires_at
    }

    /// Whether this use is to be reported; says yes to one of several requests at the same time.
    fn is_to_report(&self, now: Timestamp) -> bool {
        let last = self.reported_at_ms.load(Ordering::Relaxed);
        now.as_ms().saturating_sub(last) >= self.report_every_ms
            && self
                .reported_at_ms
                .compare_exchange(last, now.as_ms(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

/// The sessions that this process knows.
#[derive(Debug)]
pub struct Sessions {
    kms: Arc<dyn Kms>,
    clock: Arc<dyn Clock>,
    freshness: Arc<Freshness>,
    touches: Arc<Touches>,
    cache: Sharded<SessionHash, Arc<Session>>,
}

impl Sessions {
    /// An empty cache.
    pub fn new(
        kms: Arc<dyn Kms>,
        clock: Arc<dyn Clock>,
        freshness: Arc<Freshness>,
        touches: Arc<Touches>,
    ) -> Self {
        Self { kms, clock, freshness, touches, cache: Sharded::new(SESSIONS_MAX) }
    }

    /// The live session that `token` stands for; counts as a use of it.
    pub async fn check(&self, token: &str) -> Result<Principal, SessionError> {
        if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
            return Err(SessionError::Invalid);
        }
        if !self.freshness.is_fresh() {
            return Err(SessionError::Stale);
        }
        let hash = SessionHash::from_bytes(sha256(token.as_bytes()));
        let now = self.clock.now();
        let session = match self.cache.get(&hash) {
            Some(session) if session.is_live(now) && session.asked_at.is_young() => session,
            Some(_) => {
                self.cache.remove(&hash);
                // The KMS must know of the last uses before it is asked whether the session is idle.
                self.touches.report_now().await?;
                self.ask(token, hash).await?
            }
            None => self.ask(token, hash).await?,
        };
        if session.is_to_report(now) {
            self.touches.add(SessionTouch { session: hash, last_used_at: now });
        }
        Ok(session.principal)
    }

    async fn ask(&self, token: &str, hash: SessionHash) -> Result<Arc<Session>, SessionError> {
        let mark = self.freshness.mark();
        let live = self.kms.check_session(token).await?.ok_or(SessionError::Invalid)?;
        let now = self.clock.now();
        // What the KMS answers is bound to what was asked, whatever it says.
        let session = Arc::new(Session::new(&LiveSession { session: hash, ..live }, mark, now));
        if !session.is_live(now) {
            return Err(SessionError::Invalid);
        }
        self.cache.insert_if(hash, Arc::clone(&session), || self.freshness.is_unchanged_since(mark));
        Ok(session)
    }

    /// Forgets a session that has just been ended here, without waiting for the feed to say so.
    pub fn forget(&self, session: &SessionHash) {
        self.cache.remove(session);
    }

    /// Keeps only the sessions that `keep` wants.
    pub(crate) fn retain(&self, mut keep: impl FnMut(&SessionHash, UserId) -> bool) {
        self.cache.retain(|hash, session| keep(hash, session.principal.user_id));
    }
}

impl From<SessionError> for AuthenticationError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Invalid => Self::Invalid,
            SessionError::Stale | SessionError::Kms(_) => Self::Unavailable(error.into()),
        }
    }
}

#[async_trait]
impl Authenticator for Sessions {
    async fn authenticate(&self, token: &Token) -> Result<Principal, AuthenticationError> {
        Ok(self.check(token.expose()).await?)
    }
}
