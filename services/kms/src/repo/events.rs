//! Security events in the store.
//!
//! Table `event`; a partition is a UTC day and one of eight shards, a key is an event's id with every bit
//! turned over, so that a scan, which goes up, meets the newest first. Each process writes to one shard
//! that it draws at start: a group is one commit, and several processes rarely meet. Records expire on their own.

use std::cmp::Reverse;
use std::time::Duration;

use coffer_core::{EventId, Random, Timestamp};
use coffer_store::records::{Partition, Sealed, SealedCommit, Sort, SortRange, StoreError};
use futures_util::future::try_join_all;

use super::tables::EVENT;
use crate::domain::events::RecordedEvent;

const SHARDS: u8 = 8;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
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

    /// Adds events, one commit for each day among them.
    pub async fn append(&self, events: &[RecordedEvent], retention: Duration) -> Result<(), StoreError> {
        for of_a_day in events.chunk_by(|a, b| day(a.at.as_ms()) == day(b.at.as_ms())) {
            let partition = partition(day(of_a_day[0].at.as_ms()), self.shard);
            let mut commit = SealedCommit::new();
            for event in of_a_day {
                let key = sort(u128::from_be_bytes(*event.id.as_bytes()));
                commit = commit.put_as(&key, event, Some(event.at.plus(retention)));
            }
            self.store.commit(&partition, commit).await?;
        }
        Ok(())
    }

    /// At most `limit` events of one day, the newest before `at`.
    pub async fn newest(&self, at: Position, limit: usize) -> Result<Newest, StoreError> {
        let newest = at.newest();
        let ms = i64::try_from(newest >> RANDOM_BITS).expect("48 bits fit 63");
        let range = SortRange { from: sort(newest).as_bytes().to_vec().into(), until: None };
        let shards: Vec<_> = (0..SHARDS).map(|shard| partition(day(ms), shard)).collect();
        let pages = try_join_all(
            shards.iter().map(|shard| self.store.scan_as::<RecordedEvent>(shard, &range, limit)),
        )
        .await?;

        let mut events = Vec::new();
        // A shard that has more to give hides everything older than the last that it gave.
        let mut complete_from = 0;
        for page in pages {
            let mut last = 0;
            for record in page.items {
                last = u128::from_be_bytes(*record.value.id.as_bytes());
                events.push(record.value);
            }
            if page.more {
                complete_from = complete_from.max(last);
            }
        }
        events.retain(|event| u128::from_be_bytes(*event.id.as_bytes()) >= complete_from);
        events.sort_unstable_by_key(|event| Reverse(event.id));
        let cut = complete_from > 0 || events.len() > limit;
        events.truncate(limit);
        let next = match events.last().filter(|_| cut) {
            Some(last) => Some(Position::before(Some(last.id), last.at)),
            None => Some(Position::at(Timestamp::from_ms(day(ms) * DAY_MS))).filter(|next| next.0 > 0),
        };
        Ok(Newest { events, next })
    }
}
