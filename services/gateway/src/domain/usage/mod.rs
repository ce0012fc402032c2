//! Usage analytics: every operation counted as it happens, written behind the answer.
//!
//! A request notes its operation in memory ([`Usage::record`]) and goes on. Within a second what was noted is
//! written, for each owner that did something: one [`summary`] of bounded size, and those [`page`]s of single
//! keys that changed. So the cost of an operation does not depend on how many there were before, and an answer
//! reads one record. At a clean stop everything is written; a process that is killed loses what it noted since
//! the last flush.
//!
//! Not here: totals of keys and sizes are no business of the operations. They are folded from the change log
//! of the keys ([`totals`]), exactly once, however often a process is killed in between.
//!
//! The road not taken is an event for each operation and queries over them: it is simple to write and costs
//! more with every operation that ever was.

mod access;
pub mod advice;
pub mod calendar;
mod everybody;
mod flusher;
mod ledger;
mod log;
mod one;
pub mod operation;
pub mod page;
mod part;
mod pending;
mod recorder;
mod recount;
pub mod report;
pub mod spread;
pub mod summary;
pub mod top;
pub mod totals;
mod unread;
mod writer;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use coffer_core::{Clock, Random, UserId};
use coffer_store::records::{Sealed, StoreError};
use moka::sync::Cache;

pub use access::Access;
pub use calendar::Calendar;
pub use operation::{Counts, Kind, Operation};
pub use report::Report;
pub use summary::Retention;
pub use totals::Keys;
pub use unread::{Unread, UnreadKeys, UnreadQuery};

use self::flusher::Flusher;
use self::recorder::Recorder;
use self::writer::Writer;
use super::kv::KeyCount;
use crate::repo::usage::{Scope, UsageRepo};

/// Owners whose number of keys is remembered, at most.
const KEY_COUNTS_MAX: u64 = 100_000;

/// What usage analytics are to do.
#[derive(Clone, Debug)]
pub struct UsageSettings {
    /// Whether operations are counted. Totals of keys are kept in either case.
    pub enabled: bool,
    /// How long figures by time are kept.
    pub retention: Retention,
    /// Which days there are.
    pub calendar: Calendar,
}

/// What usage analytics are made of, beside their settings.
#[derive(Clone, Debug)]
pub struct UsageParts {
    /// Where figures are kept.
    pub store: Sealed,
    /// The keys whose totals are kept.
    pub keys: Arc<dyn Keys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

/// Figures of use cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("reading figures of use")]
pub struct UsageError(#[source] pub StoreError);

impl From<StoreError> for UsageError {
    fn from(source: StoreError) -> Self {
        Self(source)
    }
}

/// Usage analytics. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Usage {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    is_enabled: bool,
    recorder: Recorder,
    flusher: Flusher,
    writer: Writer,
}

impl Usage {
    /// Analytics of these parts. Nothing is written until [`run`](Self::run) or [`flush`](Self::flush).
    pub fn new(settings: UsageSettings, parts: UsageParts) -> Self {
        let mut id = [0; 8];
        parts.random.fill(&mut id);
        let writer = Writer {
            repo: UsageRepo::new(parts.store),
            keys: parts.keys,
            clock: parts.clock,
            random: parts.random,
            calendar: settings.calendar,
            retention: settings.retention,
            id: u64::from_be_bytes(id),
            steps: AtomicU64::new(0),
            key_counts: Cache::new(KEY_COUNTS_MAX),
        };
        let (recorder, flusher) = (Recorder::default(), Flusher::default());
        Self { inner: Arc::new(Inner { is_enabled: settings.enabled, recorder, flusher, writer }) }
    }

    /// Counts an operation on one of `owner`'s keys. Never waits and never fails.
    pub fn record(&self, owner: UserId, operation: &Operation<'_>) {
        if self.inner.is_enabled {
            self.inner.recorder.record(owner, operation);
        } else if operation.kind != Kind::Read {
            self.inner.recorder.changed(owner);
        }
    }

    /// Notes that `owner`'s keys may have changed in another way: by expiry, or by a write of which nobody
    /// knows whether it happened.
    pub fn changed(&self, owner: UserId) {
        self.inner.recorder.changed(owner);
    }

    /// Writes everything that was counted so far. What cannot be written is kept and tried again; dropped before it
    /// is done, this loses what it was writing.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.inner.flusher.flush(&self.inner.recorder, &self.inner.writer).await
    }

    /// Writes what was counted, about once a second, and looks after totals. Never ends by itself.
    pub async fn run(&self) {
        let Inner { recorder, flusher, writer, .. } = &*self.inner;
        tokio::join!(flusher.flush_forever(recorder, writer), flusher.count_forever(recorder, writer));
    }

    /// What is known of a scope. One read, and for a single owner one look at the end of the change log.
    pub async fn report(&self, scope: Scope) -> Result<Report, UsageError> {
        let (report, is_behind) = report::report(&self.inner.writer, scope).await?;
        if let (true, Scope::Owner(owner)) = (is_behind, scope) {
            // What the report found in the log, the next flush writes down.
            self.changed(owner);
        }
        Ok(report)
    }

    /// An owner's keys that nobody has read for some time, in pages.
    pub async fn unread(&self, owner: UserId, query: &UnreadQuery) -> Result<UnreadKeys, UsageError> {
        Ok(unread::unread(&self.inner.writer, owner, query).await?)
    }

    /// What is known of the use of one of an owner's keys.
    pub async fn key(&self, owner: UserId, key: &str) -> Result<Option<Access>, UsageError> {
        Ok(one::one(&self.inner.writer, owner, key).await?)
    }

    /// Days and hours as these analytics reckon them.
    pub fn calendar(&self) -> &Calendar {
        &self.inner.writer.calendar
    }
}

impl KeyCount for Usage {
    fn keys(&self, owner: UserId) -> Option<u64> {
        self.inner.writer.key_counts.get(&owner)
    }

    fn look_again(&self, owner: UserId) {
        self.changed(owner);
    }
}
