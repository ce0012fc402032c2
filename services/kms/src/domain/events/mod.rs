//! Security events: who did what, to whom, from where.
//!
//! Every event is emitted through [`Events::record`], which answers once the event is in the store; what
//! releases a key awaits it first, so there is no release without a trace. Writes are grouped: one
//! commit per partition and group, see [`Group`].
//!
//! Not here: hash chaining, and shipping events elsewhere. Reading them is for administrators.

mod action;
mod event;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coffer_core::{Clock, EventId, Random, Timestamp, UserId};
use coffer_store::records::{COMMIT_ITEMS_MAX, Sealed, StoreError};

use super::group::{Group, GroupError, Pace, WriteGroup};
use crate::repo::events::{EventRepo, Position, RANDOM_BITS};

pub use action::{Action, KeyUse};
pub use event::{Actor, Event, Origin, RecordedEvent};

/// A commit costs the store, the connection and this process several times what one more event in it does. So when
/// many record at once, each waits up to this much longer, and they share fewer commits. Nobody who is
/// alone waits. Who knows that more is about to be recorded has it wait longer: a commit that syncs costs as much as
/// opening two ciphertexts.
const PACE: Pace =
    Pace { crowd_items: 8, pause: Duration::from_millis(2), linger: Duration::from_millis(10) };

/// What [`Events`] works with.
#[derive(Clone, Debug)]
pub struct EventParts {
    /// Where events are kept.
    pub store: Sealed,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for ids.
    pub random: Arc<dyn Random>,
    /// How long events are kept.
    pub retention: Duration,
}

/// Which events are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only events of this kind.
    pub kind: Option<String>,
    /// Only events that concern this user.
    pub user: Option<UserId>,
}

impl EventFilter {
    fn takes(&self, event: &RecordedEvent) -> bool {
        self.kind.as_ref().is_none_or(|kind| *kind == event.kind)
            && self.user.is_none_or(|user| event.concerns(user))
    }
}

/// A page of events, newest first. It may hold fewer than asked for and still have a next one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventPage {
    /// The events.
    pub items: Vec<RecordedEvent>,
    /// The last event that was looked at, if more may follow.
    pub next: Option<EventId>,
}

/// Records and reads security events.
pub struct Events {
    repo: EventRepo,
    group: Group<RecordedEvent>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    retention: Duration,
    /// The id of the latest event, so that the events of one millisecond keep their order.
    latest: Mutex<u128>,
}

struct Writer {
    repo: EventRepo,
    retention: Duration,
}

impl WriteGroup<RecordedEvent> for Writer {
    async fn write(&mut self, items: Vec<RecordedEvent>) -> Result<(), StoreError> {
        self.repo.append(items, self.retention).await
    }
}

impl Events {
    /// Starts recording, with a task on the current runtime.
    pub fn start(parts: EventParts) -> Self {
        let EventParts { store, clock, random, retention } = parts;
        let repo = EventRepo::new(store, &*random);
        let writer = Writer { repo: repo.clone(), retention };
        let group = Group::start("security events", (COMMIT_ITEMS_MAX, PACE), writer);
        Self { repo, group, clock, random, retention, latest: Mutex::new(0) }
    }

    /// Records `event`; it is in the store when this answers.
    pub async fn record(&self, event: Event) -> Result<(), GroupError> {
        self.record_among(event, false).await
    }

    /// As [`record`](Self::record); says whether events of others are about to follow, for which the commit may wait a
    /// moment.
    pub async fn record_among(&self, event: Event, others_follow: bool) -> Result<(), GroupError> {
        let now = self.clock.now();
        self.group.write_among(RecordedEvent::of(event, self.make_id(now), now), others_follow).await
    }

    /// A new id, greater than those that this process has made in the same millisecond.
    fn make_id(&self, now: Timestamp) -> EventId {
        let made = u128::from_be_bytes(*EventId::make(now, &*self.random).as_bytes());
        // The number is whole at every moment, so a panic elsewhere has broken nothing.
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let same_ms = made >> RANDOM_BITS == *latest >> RANDOM_BITS;
        *latest = if same_ms { made.max(*latest + 1) } else { made };
        EventId::from_bytes(latest.to_be_bytes())
    }

    /// At most `limit` events from before `before` (the newest, if none is given), newest first.
    pub async fn page(
        &self,
        filter: &EventFilter,
        before: Option<EventId>,
        limit: usize,
    ) -> Result<EventPage, StoreError> {
        let now = self.clock.now();
        let mut at = Position::before(before, now);
        let mut page = EventPage::default();
        // A filter that matches little must not read the whole history for one answer.
        for _ in 0..READS_PER_PAGE_MAX {
            let read = self.repo.newest(at, limit).await?;
            for event in read.events {
                page.next = Some(event.id);
                if filter.takes(&event) {
                    page.items.push(event);
                }
                if page.items.len() == limit {
                    return Ok(page);
                }
            }
            let Some(next) = read.next.filter(|next| next.not_before(self.oldest(now))) else {
                return Ok(EventPage { next: None, ..page });
            };
            page.next = Some(next.cursor());
            at = next;
        }
        Ok(page)
    }

    fn oldest(&self, now: Timestamp) -> Timestamp {
        now.minus(self.retention)
    }
}

/// Reads of the store for one page: days, or parts of a day with many events.
const READS_PER_PAGE_MAX: usize = 40;

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}
