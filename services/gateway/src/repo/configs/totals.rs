//! Bytes that the configurations of all name spaces use together.
//!
//! One counter, of which each process reserves large pieces ahead, so that it is not on the way of every write.

use coffer_store::records::{Outcome, Partition, Sealed, SealedCommit, Sort, StoreError, Table};

const TABLE: Table = Table::new("config_totals");

/// The counter.
#[derive(Clone, Debug)]
pub struct TotalsRepo {
    records: Sealed,
}

impl TotalsRepo {
    /// The counter that lies in `records`.
    pub fn new(records: Sealed) -> Self {
        Self { records }
    }

    /// Reserves so many bytes if no more than `bytes_max` are then reserved in all; says whether it did.
    pub async fn reserve(&self, bytes: i64, bytes_max: i64) -> Result<bool, StoreError> {
        let commit = SealedCommit::new()
            .counter_within(&sort(), i64::MIN + 1..=bytes_max.saturating_sub(bytes))
            .add(&sort(), bytes, None);
        Ok(matches!(self.records.commit(&partition(), commit).await?, Outcome::Committed(_)))
    }

    /// Gives bytes back.
    pub async fn give_back(&self, bytes: i64) -> Result<(), StoreError> {
        self.records.commit(&partition(), SealedCommit::new().add(&sort(), -bytes, None)).await.map(drop)
    }
}

fn partition() -> Partition {
    Partition::new(TABLE, "all")
}

fn sort() -> Sort {
    Sort::of("b").build()
}
