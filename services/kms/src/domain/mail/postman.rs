//! The end of the queue where letters come out.
//!
//! Every process has a postman. A postman takes a letter by moving it to a later time, guarded by its
//! version: so nobody else takes it meanwhile, and if this process dies, somebody does later. A letter
//! may then arrive twice, which harms nobody.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use coffer_core::{Clock, ExposeSecret, MailId, Timestamp};
use coffer_store::records::StoreError;
use futures_util::stream::{self, StreamExt as _};

use super::letter::Letter;
use super::outbox::Outbox;
use crate::repo::address::AddressRepo;
use crate::repo::mail::{Mail, MailRepo, Queued};

/// How long a postman keeps a letter to himself: longer than any delivery takes.
const LEASE: Duration = Duration::from_mins(2);
/// How long a letter waits for its code to appear in the store.
const HOLD: Duration = Duration::from_secs(5);
/// How often the queue is looked at without being told to: other processes put letters in too.
const POLL: Duration = Duration::from_secs(1);
/// The wait after the first failure; it doubles with each, up to [`BACKOFF_MAX`].
const BACKOFF_MIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_mins(1);
/// Letters taken at a time.
const BATCH: usize = 100;

/// Why a letter was not delivered.
#[derive(Debug, thiserror::Error)]
#[error("delivering a letter")]
pub struct TransportError {
    /// The server will never take this letter.
    pub permanent: bool,
    /// Why, without addresses: it is logged.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// A way for letters to leave.
#[async_trait]
pub trait Transport: Send + Sync + fmt::Debug {
    /// Delivers a letter, or says why not.
    async fn deliver(&self, letter: Letter) -> Result<(), TransportError>;
}

/// Takes letters out of the queue and delivers them.
#[derive(Debug)]
pub struct Postman {
    /// The queue.
    pub repo: MailRepo,
    /// Where codes are, so that only outstanding ones are sent.
    pub addresses: AddressRepo,
    /// How letters leave.
    pub transport: Arc<dyn Transport>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Letters under way at the same time.
    pub deliveries_max: usize,
}

impl Postman {
    /// Delivers whatever comes, for ever. Drop the future to stop.
    pub async fn run(self, outbox: Outbox) {
        loop {
            if let Err(error) = self.deliver_due().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "the mail queue cannot be read");
            }
            tokio::select! {
                () = outbox.woken() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Delivers what is due now; says how many letters left.
    pub async fn deliver_due(&self) -> Result<usize, StoreError> {
        let due = self.repo.due(self.clock.now(), BATCH).await?;
        let deliveries = stream::iter(due).map(|queued| self.handle(queued));
        let mut outcomes = deliveries.buffer_unordered(self.deliveries_max.max(1));
        let mut delivered = 0;
        while let Some(outcome) = outcomes.next().await {
            delivered += usize::from(outcome?);
        }
        Ok(delivered)
    }

    /// Delivers one letter; `false` if it did not leave, now or ever.
    async fn handle(&self, queued: Queued) -> Result<bool, StoreError> {
        let now = self.clock.now();
        if !self.is_outstanding(&queued.mail).await? {
            if now.since(queued.mail.queued_at) >= HOLD {
                self.repo.remove(&queued).await?;
            }
            return Ok(false);
        }
        let Some(taken) = self.repo.postpone(queued, now.plus(LEASE)).await? else { return Ok(false) };
        match self.transport.deliver(letter(&taken.mail, now)).await {
            Ok(()) => {
                self.repo.remove(&taken).await?;
                Ok(true)
            }
            Err(error) => self.failed(taken, &error).await.map(|()| false),
        }
    }

    async fn failed(&self, mut taken: Queued, error: &TransportError) -> Result<(), StoreError> {
        let (mail_id, attempts) = (taken.mail.id, taken.mail.attempts + 1);
        log_failure(mail_id, attempts, error);
        if error.permanent {
            return self.repo.remove(&taken).await.map(drop);
        }
        taken.mail.attempts = attempts;
        let again_at = self.clock.now().plus(backoff(attempts));
        self.repo.postpone(taken, again_at).await.map(drop)
    }

    async fn is_outstanding(&self, mail: &Mail) -> Result<bool, StoreError> {
        let state = self.addresses.load(&mail.account).await?;
        Ok(state.codes_for(mail.purpose).any(|code| code.value.id == mail.code))
    }
}

/// A transport's error names nobody: its words may be logged.
fn log_failure(mail_id: MailId, attempts: u32, error: &TransportError) {
    let (permanent, error) = (error.permanent, error as &dyn std::error::Error);
    tracing::warn!(%mail_id, attempts, permanent, error, "a letter was not delivered");
}

fn letter(mail: &Mail, now: Timestamp) -> Letter {
    let code = (mail.purpose, mail.digits.expose_secret());
    Letter::with_code(mail.to.clone(), code, (now, mail.expires_at.since(now)))
}

fn backoff(attempts: u32) -> Duration {
    BACKOFF_MIN.saturating_mul(1 << attempts.saturating_sub(1).min(10)).min(BACKOFF_MAX)
}
