//! Bytes that all name spaces may use together.
//!
//! This process reserves pieces of the total ahead and spends them in memory, so that no write waits for a counter that
//! all writes share. A process that is killed leaves its last piece reserved; one that stops gives it back.
//!
//! What is written beside a change (the log) is *owed*: it counts, but no change is refused for it. What is owed beyond
//! the piece is reserved with what is spent next.

use std::sync::{Mutex, PoisonError};

use coffer_store::records::StoreError;

use super::ConfigsError;
use crate::repo::configs::TotalsRepo;

/// Reserved at once, in bytes.
const PIECE_BYTES: i64 = 256 * 1024;

/// What this process may still spend.
#[derive(Debug)]
pub(super) struct Quota {
    totals: TotalsRepo,
    bytes_max: i64,
    left: Mutex<i64>,
}

/// Bytes that were spent for a change; given back unless the change is kept.
#[derive(Debug)]
pub(super) struct Spent<'a> {
    quota: &'a Quota,
    bytes: i64,
}

impl Spent<'_> {
    /// Spends so many bytes more, whether or not there is room for them.
    pub(super) fn and_owe(mut self, bytes: i64) -> Self {
        *self.quota.left() -= bytes;
        self.bytes += bytes;
        self
    }

    /// The change happened, or may have.
    pub(super) fn keep(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Spent<'_> {
    fn drop(&mut self) {
        *self.quota.left() += self.bytes;
    }
}

impl Quota {
    pub(super) fn new(totals: TotalsRepo, bytes_max: u64) -> Self {
        Self { totals, bytes_max: i64::try_from(bytes_max).unwrap_or(i64::MAX), left: Mutex::new(0) }
    }

    fn left(&self) -> std::sync::MutexGuard<'_, i64> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Spends so many bytes; nothing is spent for a change that frees some.
    pub(super) async fn spend(&self, bytes: i64) -> Result<Spent<'_>, ConfigsError> {
        if bytes <= 0 {
            return Ok(Spent { quota: self, bytes: 0 });
        }
        if !self.take(bytes) {
            self.reserve(bytes).await?;
        }
        Ok(Spent { quota: self, bytes })
    }

    fn take(&self, bytes: i64) -> bool {
        let mut left = self.left();
        let enough = *left >= bytes;
        if enough {
            *left -= bytes;
        }
        enough
    }

    /// Reserves what is to be spent at once and what is owed, and a piece more if there is room for it.
    async fn reserve(&self, bytes: i64) -> Result<(), ConfigsError> {
        let owed = (*self.left()).min(0).abs();
        for more in [owed + PIECE_BYTES, owed] {
            if self.totals.reserve(bytes + more, self.bytes_max).await? {
                *self.left() += more;
                return Ok(());
            }
        }
        Err(ConfigsError::Full { what: "there is no room for more configurations" })
    }

    /// Gives back what a change freed.
    pub(super) async fn free(&self, bytes: i64) {
        let excess = {
            let mut left = self.left();
            *left += bytes;
            let excess = *left - 2 * PIECE_BYTES;
            if excess <= 0 {
                return;
            }
            *left -= excess;
            excess
        };
        if let Err(error) = self.totals.give_back(excess).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "bytes stay reserved");
            *self.left() += excess;
        }
    }

    /// Gives back what is not spent: the process stops.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        let left = std::mem::take(&mut *self.left());
        if left == 0 { Ok(()) } else { self.totals.give_back(left).await }
    }
}
