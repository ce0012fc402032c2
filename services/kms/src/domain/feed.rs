//! The revocation feed: what other services must forget, in order.
//!
//! Services keep sessions and access in memory only while they follow this feed, so a log-out or a
//! revoked grant is in force everywhere within two seconds. A revocation is acknowledged to the user
//! after it is in the feed. Whoever fell behind further than the feed reaches, or knows a position that the feed
//! never had, is told to forget everything.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use coffer_api::internal::{BATCH_ITEMS_MAX, FeedAnswer, FeedEvent};
use coffer_core::Clock;
use coffer_store::records::{Sealed, StoreError};

use super::group::{Group, GroupError, Pace, WriteGroup};
use super::recent::Changes;
use crate::repo::feed::FeedRepo;

/// How far back the feed reaches.
pub const FEED_RETENTION: Duration = Duration::from_hours(2);
/// Events in one commit, beside its guard and its step of the counter.
const GROUP_EVENTS_MAX: usize = 200;
/// How often a commit is tried while other processes append too.
const TRIES_MAX: usize = 64;

/// Appends to and reads the revocation feed.
pub struct Feed {
    repo: FeedRepo,
    group: Group<FeedEvent>,
    changes: Changes,
}

struct Writer {
    repo: FeedRepo,
    clock: Arc<dyn Clock>,
    /// Where the feed was when this process last looked.
    position: Option<u64>,
}

impl WriteGroup<FeedEvent> for Writer {
    async fn write(&mut self, events: Vec<FeedEvent>) -> Result<(), StoreError> {
        for _ in 0..TRIES_MAX {
            let position = match self.position.take() {
                Some(position) => position,
                None => self.repo.position().await?,
            };
            let expires_at = self.clock.now().plus(FEED_RETENTION);
            if let Some(position) = self.repo.append(position, &events, expires_at).await? {
                self.position = Some(position);
                return Ok(());
            }
        }
        Err(StoreError::Unavailable {
            doing: "appending to the revocation feed",
            source: "other processes were faster every time".into(),
        })
    }
}

impl Feed {
    /// Starts the feed, with a task on the current runtime.
    pub fn start(store: Sealed, clock: Arc<dyn Clock>) -> Self {
        let repo = FeedRepo::new(store);
        let writer = Writer { repo: repo.clone(), clock, position: None };
        let group = Group::start("revocations", (GROUP_EVENTS_MAX, Pace::AT_ONCE), writer);
        Self { repo, group, changes: Changes::default() }
    }

    /// What this process tells the feed, as it tells its own memory.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Appends an event; every service that follows the feed acts on it soon after this answers. What this
    /// process itself remembers is void when this answers, also if the event could not be written.
    pub async fn append(&self, event: FeedEvent) -> Result<(), GroupError> {
        let written = self.group.write(event).await;
        self.changes.note();
        written
    }

    /// Carries out what takes something away, and tells before and after.
    ///
    /// The effect and the telling are commits of different partitions, and this process may be killed between
    /// them. Told first, what others remember is dropped also then, unless somebody asked anew in the
    /// moment before the effect; that little is left to the age that no remembered answer outlives. Told
    /// again, whoever did ask in that moment forgets at once.
    pub async fn around<T, E: From<GroupError>>(
        &self,
        event: FeedEvent,
        effect: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.append(event).await?;
        let outcome = effect.await;
        // Also where nobody knows what happened.
        self.changes.note();
        let outcome = outcome?;
        self.append(event).await?;
        Ok(outcome)
    }

    /// What was appended after `after`; without it, only where the feed is now.
    pub async fn since(&self, after: Option<u64>) -> Result<FeedAnswer, StoreError> {
        let position = self.repo.position().await?;
        let Some(after) = after else {
            return Ok(FeedAnswer { events: Vec::new(), position, reset: false });
        };
        if after == position {
            return Ok(FeedAnswer { events: Vec::new(), position, reset: false });
        }
        let reset = FeedAnswer { events: Vec::new(), position, reset: true };
        if after > position {
            return Ok(reset);
        }
        let events = self.repo.after(after, BATCH_ITEMS_MAX).await?;
        let Some(&(last, _)) = events.last() else { return Ok(reset) };
        let gap = events.iter().zip(after + 1..).any(|((number, _), expected)| *number != expected);
        if gap {
            return Ok(reset);
        }
        let events = events.into_iter().map(|(_, event)| event).collect();
        Ok(FeedAnswer { events, position: last, reset: false })
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Feed")
    }
}

#[cfg(test)]
mod tests {
    use coffer_api::SessionHash;

    use super::*;
    use crate::domain::test_store::TestStore;

    fn ended(n: u8) -> FeedEvent {
        FeedEvent::SessionEnded(SessionHash::from_bytes([n; 32]))
    }

    #[tokio::test]
    async fn a_reader_gets_every_event_once_and_in_order_while_two_processes_append() {
        let TestStore { clock, sealed: store, .. } = TestStore::new();
        let feeds = [0, 1].map(|_| Feed::start(store.clone(), clock.clone()));
        let appends = (0..100).map(|n| feeds[usize::from(n % 2)].append(ended(n)));
        assert!(futures_util::future::join_all(appends).await.iter().all(Result::is_ok));

        let start = feeds[0].since(Some(0)).await.unwrap();
        assert_eq!((start.events.len(), start.position, start.reset), (100, 100, false));
        for process in 0..2 {
            let of_process = (0..100).filter(|n| n % 2 == process).map(ended);
            assert!(of_process.clone().all(|event| start.events.contains(&event)));
        }
        let rest = feeds[1].since(Some(98)).await.unwrap();
        assert_eq!(rest.events, start.events[98..]);
        assert_eq!(feeds[1].since(Some(100)).await.unwrap().events, []);
    }

    #[tokio::test]
    async fn what_is_taken_away_is_told_before_it_happens_and_after() {
        let TestStore { clock, sealed: store, .. } = TestStore::new();
        let feed = Feed::start(store, clock);
        let told = async || feed.since(Some(0)).await.unwrap().events.len();
        let before = feed.around(ended(1), async { Ok::<_, GroupError>(told().await) }).await.unwrap();
        assert_eq!((before, told().await), (1, 2));
        let failed = feed.around(ended(2), async { Err::<(), _>(GroupError::Closed("a test")) }).await;
        assert!(failed.is_err());
        assert_eq!(told().await, 3, "what may or may not have happened was told");
    }

    #[tokio::test]
    async fn a_new_reader_is_told_only_where_the_feed_is() {
        let TestStore { clock, sealed: store, .. } = TestStore::new();
        let feed = Feed::start(store, clock);
        feed.append(ended(1)).await.unwrap();
        let answer = feed.since(None).await.unwrap();
        assert_eq!(answer, FeedAnswer { events: vec![], position: 1, reset: false });
    }

    #[tokio::test]
    async fn a_reader_that_fell_behind_or_knows_too_much_must_forget_everything() {
        let TestStore { clock, sealed: store, .. } = TestStore::new();
        let feed = Feed::start(store, clock.clone());
        for n in 0..3 {
            feed.append(ended(n)).await.unwrap();
        }
        clock.advance(Duration::from_mins(90));
        feed.append(ended(3)).await.unwrap();
        clock.advance(Duration::from_mins(45));
        assert!(feed.since(Some(1)).await.unwrap().reset, "events 2 and 3 have expired");
        assert!(!feed.since(Some(3)).await.unwrap().reset, "event 4 has not");
        clock.advance(FEED_RETENTION);
        assert!(feed.since(Some(3)).await.unwrap().reset, "nothing is left");
        let ahead = feed.since(Some(9)).await.unwrap();
        assert_eq!((ahead.reset, ahead.position), (true, 4));
        assert!(!feed.since(Some(4)).await.unwrap().reset);
    }

    #[test]
    fn the_feed_reaches_back_at_least_an_hour() {
        assert!(FEED_RETENTION >= Duration::from_hours(1));
    }
}
