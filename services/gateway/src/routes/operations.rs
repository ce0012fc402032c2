//! Times what is done with keys and counts it.

use std::time::Duration;

use coffer_core::{Clock, UserId};
use coffer_store::records::StoreError;
use tokio::time::Instant;

use crate::domain::kv::{KvError, Space};
use crate::domain::usage::{Kind, Operation, Usage};

/// One operation, from when its request had arrived.
#[derive(Debug)]
pub(super) struct Timed<'a> {
    usage: &'a Usage,
    clock: &'a dyn Clock,
    owner: UserId,
    started: Instant,
}

impl<'a> Timed<'a> {
    /// Starts an operation on keys of `space`.
    pub(super) fn start(usage: &'a Usage, clock: &'a dyn Clock, space: Space) -> Self {
        Self { usage, clock, owner: space.owner, started: Instant::now() }
    }

    /// Counts what was done; answers how long it took. What was refused, or found nothing, is not counted.
    pub(super) fn done(&self, kind: Kind, key: &str, data_bytes: u64) -> Duration {
        let duration = self.started.elapsed();
        let operation = Operation { kind, key, at: self.clock.now(), duration, data_bytes };
        self.usage.record(self.owner, &operation);
        duration
    }

    /// The result of a change: one of which nobody knows whether it happened may have changed what keys come to.
    pub(super) fn checked<T>(&self, result: Result<T, KvError>) -> Result<T, KvError> {
        if let Err(KvError::Store(StoreError::OutcomeUnknown { .. })) = &result {
            self.usage.changed(self.owner);
        }
        result
    }
}
