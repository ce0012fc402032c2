//! The revocation feed in the store.
//!
//! Table `feed`, one partition: the counter `position`, and under `event` each event by its number. An
//! event and the step of the counter commit together, guarded by the counter's value, so numbers have
//! no gaps and never appear out of order: a reader that saw 7 has seen everything up to 7.

use coffer_api::internal::FeedEvent;
use coffer_core::Timestamp;
use coffer_store::records::{Outcome, Partition, Sealed, SealedCommit, Sort, StoreError, Value};

use super::tables::FEED;

/// The feed of all processes.
#[derive(Clone, Debug)]
pub struct FeedRepo {
    store: Sealed,
    partition: Partition,
    position: Sort,
}

fn event(number: u64) -> Sort {
    Sort::of("event").and(number.to_be_bytes()).build()
}

impl FeedRepo {
    /// The feed in `store`.
    pub fn new(store: Sealed) -> Self {
        Self { store, partition: Partition::new(FEED, "feed"), position: Sort::of("position").build() }
    }

    /// The number of the latest event; 0 if there never was one.
    pub async fn position(&self) -> Result<u64, StoreError> {
        let record = self.store.records().get(&self.partition, &self.position).await?;
        let position = match record.map(|record| record.value) {
            None => Some(0),
            Some(Value::Counter(position)) => u64::try_from(position).ok(),
            Some(Value::Bytes(_)) => None,
        };
        position.ok_or_else(|| StoreError::Corrupt { what: "the feed's position is no number".into() })
    }

    /// Appends events after `position`. `Ok(None)` if the feed is no longer there, else its new position.
    pub async fn append(
        &self,
        position: u64,
        events: &[FeedEvent],
        expires_at: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        let full = |_| StoreError::Limit("the feed is full");
        let at = i64::try_from(position).map_err(full)?;
        let step = i64::try_from(events.len()).map_err(full)?;
        let mut commit =
            SealedCommit::new().counter_within(&self.position, at..=at).add(&self.position, step, None);
        let mut number = position;
        for item in events {
            number += 1;
            commit = commit.put_as(&event(number), item, Some(expires_at));
        }
        let outcome = self.store.commit(&self.partition, commit).await?;
        Ok(matches!(outcome, Outcome::Committed(_)).then_some(number))
    }

    /// At most `limit` events after `after` with their numbers, oldest first.
    pub async fn after(&self, after: u64, limit: usize) -> Result<Vec<(u64, FeedEvent)>, StoreError> {
        let range = Sort::of("event").children().after(&event(after));
        let page = self.store.scan_as(&self.partition, &range, limit).await?;
        page.items.into_iter().map(|record| Ok((number(&record.sort)?, record.value))).collect()
    }
}

fn number(sort: &Sort) -> Result<u64, StoreError> {
    let parts = sort.parts().unwrap_or_default();
    let number = parts.get(1).and_then(|part| <[u8; 8]>::try_from(part.as_slice()).ok());
    number
        .map(u64::from_be_bytes)
        .ok_or_else(|| StoreError::Corrupt { what: "a feed event has no number".into() })
}
