//! Security events in the store.
//!
//! Table `event`; a partition is a UTC day and one of eight shards. Each process writes to one shard that it
//! draws at start: a group is one commit, and several processes rarely meet. Records expire on their own.
//!
//! A record holds the events of a group that fall into the same `WINDOW_MS`: sealing, indexing and syncing
//! each by itself would cost a KMS that unwraps for many a tenth of its time. Its key is the id of its newest event
//! with every bit turned over, so that a scan, which goes up, meets the newest first. A record whose newest event
//! comes after a moment may hold others from before it, but only if both are in one window: so reading from that
//! moment on begins at the end of its window.

use std::cmp::Reverse;
use std::time::Duration;

use coffer_core::{EventId, Random, Timestamp};
use coffer_store::records::{Partition, Sealed, SealedCommit, Sort, SortRange, StoreError};
use futures_util::future::try_join_all;

use super::tables::EVENT;
use crate::domain::events::RecordedEvent;

const SHARDS: u8 = 8;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Events of one record are no further apart. A day is a whole number of windows.
const WINDOW_MS: i64 = 64;
const _: () = assert!(DAY_MS % WINDOW_MS == 0);
/// Records that are read at once: one may hold hundreds of events.
const PAGE_RECORDS: usize = 32;
/// A UUID of version 7 begins with 48 bits of milliseconds; the others.
pub(crate) const RANDOM_BITS: u32 = 128 - 48;
/// How far another process's clock may be ahead for its events to be on the first page.
const CLOCK_SKEW_MAX: Duration = Duration::from_mins(5);

/// Where reading goes on: with the newest event that is older than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(u128);

impl Position {
    /// Just before the event `before`, or the present.
    pub fn before(before: Option<EventId>, now: Timestamp) -> Self {
        match before {
            Some(id) => Self(u128::from_be_bytes(*id.as_bytes())),
            None => Self::at(now.plus(CLOCK_SKEW_MAX)),
        }
    }

    fn at(moment: Timestamp) -> Self {
        Self(u128::try_from(moment.as_ms()).unwrap_or(0) << RANDOM_BITS)
    }

    /// Whether events from `moment` on may still follow.
    pub fn not_before(self, moment: Timestamp) -> bool {
        self > Self::at(moment)
    }

    /// This position as the id that a cursor names.
    pub fn cursor(self) -> EventId {
        EventId::from_bytes(self.0.to_be_bytes())
    }

    fn newest(self) -> u128 {
        self.0.saturating_sub(1)
    }

    /// Where records begin that may hold events before this position.
    fn records(self) -> SortRange {
        let window_end_ms = (window(ms(self.newest())) + 1) * WINDOW_MS;
        let newest = Self::at(Timestamp::from_ms(window_end_ms)).newest();
        SortRange { from: sort(newest).as_bytes().to_vec().into(), until: None }
    }
}

/// What one read found.
#[derive(Debug)]
pub struct Newest {
    /// Events, newest first.
    pub events: Vec<RecordedEvent>,
    /// Where to go on, unless time itself ends there.
    pub next: Option<Position>,
}

/// The events of all processes.
#[derive(Clone, Debug)]
pub struct EventRepo {
    store: Sealed,
    shard: u8,
}

fn day(ms: i64) -> i64 {
    ms.div_euclid(DAY_MS)
}

fn window(ms: i64) -> i64 {
    ms.div_euclid(WINDOW_MS)
}

/// The moment that an id begins with.
fn ms(id: u128) -> i64 {
    i64::try_from(id >> RANDOM_BITS).expect("48 bits fit 63")
}

fn number(event: &RecordedEvent) -> u128 {
    u128::from_be_bytes(*event.id.as_bytes())
}

fn partition(day: i64, shard: u8) -> Partition {
    let mut key = [0; 9];
    key[..8].copy_from_slice(&day.to_be_bytes());
    key[8] = shard;
    Partition::new(EVENT, key)
}

fn sort(id: u128) -> Sort {
    Sort::of((!id).to_be_bytes()).build()
}

impl EventRepo {
    /// Events in `store`; `random` draws the shard that this process writes to.
    pub fn new(store: Sealed, random: &dyn Random) -> Self {
        let mut shard = [0];
        random.fill(&mut shard);
        Self { store, shard: shard[0] % SHARDS }
    }

    /// Adds events: a record for each window among them, and a commit for each day.
    pub async fn append(
        &self,
        mut events: Vec<RecordedEvent>,
        retention: Duration,
    ) -> Result<(), StoreError> {
        events.sort_unstable_by_key(|event| Reverse(event.id));
        for of_a_day in events.chunk_by(|a, b| day(ms(number(a))) == day(ms(number(b)))) {
            let partition = partition(day(ms(number(&of_a_day[0]))), self.shard);
            let mut commit = SealedCommit::new();
            for of_a_window in of_a_day.chunk_by(|a, b| window(ms(number(a))) == window(ms(number(b)))) {
                let newest = &of_a_window[0];
                commit = commit.put_as(&sort(number(newest)), of_a_window, Some(newest.at.plus(retention)));
            }
            self.store.commit(&partition, commit).await?;
        }
        Ok(())
    }

    /// At most `limit` events of one day, the newest before `at`.
    pub async fn newest(&self, at: Position, limit: usize) -> Result<Newest, StoreError> {
        let day = day(ms(at.newest()));
        let shards = (0..SHARDS).map(|shard| self.newest_of(partition(day, shard), at, limit));
        let mut events = Vec::new();
        // A shard that has more to give hides events older than the newest of the last record that it gave.
        let mut complete_from = 0;
        for (found, complete) in try_join_all(shards).await? {
            events.extend(found);
            complete_from = complete_from.max(complete);
        }
        events.retain(|event| number(event) >= complete_from);
        events.sort_unstable_by_key(|event| Reverse(event.id));
        let cut = complete_from > 0 || events.len() > limit;
        events.truncate(limit);
        let next = match events.last().filter(|_| cut) {
            Some(last) => Some(Position::before(Some(last.id), last.at)),
            None => Some(Position::at(Timestamp::from_ms(day * DAY_MS))).filter(|next| next.0 > 0),
        };
        Ok(Newest { events, next })
    }

    /// Events of one partition before `at`, at least `limit` if there are so many, and from which id on they are
    /// all there are: 0 if none is left.
    async fn newest_of(
        &self,
        partition: Partition,
        at: Position,
        limit: usize,
    ) -> Result<(Vec<RecordedEvent>, u128), StoreError> {
        let (mut events, mut range) = (Vec::new(), at.records());
        loop {
            let page_records = limit.min(PAGE_RECORDS);
            let page = self.store.scan_as::<Vec<RecordedEvent>>(&partition, &range, page_records).await?;
            let last =
                page.items.last().map(|last| (last.sort.clone(), last.value.first().map_or(0, number)));
            let read = page.items.into_iter().flat_map(|record| record.value);
            events.extend(read.filter(|event| number(event) < at.0));
            let Some((sort, newest)) = last.filter(|_| page.more) else { return Ok((events, 0)) };
            // Records at the end of the window may all be newer than what is asked for.
            if newest < at.0 && events.len() >= limit {
                return Ok((events, newest));
            }
            range = range.after(&sort);
        }
    }
}
