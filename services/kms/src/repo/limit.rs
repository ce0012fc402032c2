//! How often something was done lately: a counter for each window of time, in a partition for each
//! thing that is limited. Names are blinded: they hold network addresses.

use coffer_core::Timestamp;
use coffer_store::records::{Partition, Sealed, SealedCommit, Sort, StoreError};

use super::tables::LIMIT;

/// All counts.
#[derive(Clone, Debug)]
pub struct LimitRepo {
    store: Sealed,
}

/// What was counted in the present window and the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// In the window before.
    pub before: i64,
    /// In the present window.
    pub present: i64,
}

fn partition(subject: &[u8; 32]) -> Partition {
    Partition::new(LIMIT, subject)
}

fn window_sort(window: i64) -> Sort {
    Sort::of("window").and(window.to_be_bytes()).build()
}

impl LimitRepo {
    /// The counts in `store`.
    pub fn new(store: Sealed) -> Self {
        Self { store }
    }

    /// What was counted in `window` and the one before.
    pub async fn counts(&self, subject: &[u8; 32], window: i64) -> Result<Counts, StoreError> {
        let sorts = [window_sort(window - 1), window_sort(window)];
        let records = self.store.get_many(&partition(subject), &sorts).await?;
        let mut counts = [0; 2];
        for (count, record) in counts.iter_mut().zip(records) {
            *count = record.map_or(Ok(0), |record| record.counter())?;
        }
        Ok(Counts { before: counts[0], present: counts[1] })
    }

    /// Counts one more in `window` if there are fewer than `max`; `false` if there are not.
    pub async fn count(
        &self,
        subject: &[u8; 32],
        (window, max): (i64, i64),
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let sort = window_sort(window);
        let commit = SealedCommit::new().counter_within(&sort, 0..=max - 1).add(&sort, 1, Some(expires_at));
        Ok(self.store.commit(&partition(subject), commit).await?.is_committed())
    }

    /// Counts one less in `window`, if it is still counted.
    pub async fn uncount(
        &self,
        subject: &[u8; 32],
        window: i64,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let sort = window_sort(window);
        let commit = SealedCommit::new().counter_within(&sort, 1..=i64::MAX).add(&sort, -1, Some(expires_at));
        self.store.commit(&partition(subject), commit).await.map(drop)
    }
}
