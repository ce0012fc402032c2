//! Numbers of users: the counter that they come from and which is whose, in one partition.
//!
//! A number is given out before its user is made, so a crash may leave a number without a user; readers
//! pass over it. No number is ever given out twice.

use coffer_core::UserId;
use coffer_store::records::{Partition, Sealed, SealedCommit, Sort, StoreError};

use super::tables::USER_NUMBER;

/// How often a number is asked for while others take theirs.
const TRIES_MAX: usize = 64;

/// All numbers.
#[derive(Clone, Debug)]
pub struct UserNumberRepo {
    store: Sealed,
}

fn partition() -> Partition {
    Partition::new(USER_NUMBER, "numbers")
}

fn last_sort() -> Sort {
    Sort::of("last").build()
}

fn user_sort(number: u64) -> Sort {
    Sort::of("user").and(number.to_be_bytes()).build()
}

impl UserNumberRepo {
    /// The numbers in `store`.
    pub fn new(store: Sealed) -> Self {
        Self { store }
    }

    /// Gives `user` the next number.
    pub async fn assign(&self, user: UserId) -> Result<u64, StoreError> {
        let mut refusals = 0;
        loop {
            let last = self.store.get(&partition(), &last_sort()).await?;
            let last = last.map_or(Ok(0), |record| record.counter())?;
            let number = u64::try_from(last).map_err(|_| corrupt())? + 1;
            let commit = SealedCommit::new()
                .counter_within(&last_sort(), last..=last)
                .add(&last_sort(), 1, None)
                .put_as(&user_sort(number), &user, None);
            if self.store.commit(&partition(), commit).await?.is_committed() {
                return Ok(number);
            }
            refusals += 1;
            if refusals == TRIES_MAX {
                let source = "other processes were faster every time".into();
                return Err(StoreError::Unavailable { doing: "numbering a user", source });
            }
        }
    }

    /// At most `limit` numbers after `after` with the ids they were given to, in order.
    pub async fn after(&self, after: u64, limit: usize) -> Result<Vec<(u64, UserId)>, StoreError> {
        let range = Sort::of("user").children().after(&user_sort(after));
        let page = self.store.scan_as::<UserId>(&partition(), &range, limit).await?;
        let mut numbers = Vec::with_capacity(page.items.len());
        for record in &page.items {
            let parts = record.sort.parts().unwrap_or_default();
            let number = parts.get(1).and_then(|part| <[u8; 8]>::try_from(part.as_slice()).ok());
            numbers.push((u64::from_be_bytes(number.ok_or_else(corrupt)?), record.value));
        }
        Ok(numbers)
    }
}

fn corrupt() -> StoreError {
    StoreError::Corrupt { what: "the numbers of users".into() }
}
