//! Last-use times, reported to the KMS in batches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coffer_api::SessionHash;
use coffer_api::internal::{BATCH_ITEMS_MAX, SessionTouch};
use coffer_core::Timestamp;

use crate::kms::{Kms, KmsError};

/// How often what has gathered is sent.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Sessions that wait to be reported, at most. What is more is dropped: those sessions are reported at
/// their next use that is due.
const WAITING_MAX: usize = 100_000;

/// Uses that wait to be reported.
#[derive(Debug)]
pub struct Touches {
    kms: Arc<dyn Kms>,
    waiting: Mutex<HashMap<SessionHash, Timestamp>>,
}

impl Touches {
    /// Nothing waits yet.
    pub fn new(kms: Arc<dyn Kms>) -> Self {
        Self { kms, waiting: Mutex::default() }
    }

    /// Puts a use on the next report.
    pub fn add(&self, one: SessionTouch) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING_MAX || waiting.contains_key(&one.session) {
            let at = waiting.entry(one.session).or_insert(one.last_used_at);
            *at = (*at).max(one.last_used_at);
        }
    }

    /// Reports what waits. What could not be reported waits again.
    pub async fn report_now(&self) -> Result<(), KmsError> {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let touches: Vec<SessionTouch> = waiting
            .into_iter()
            .map(|(session, last_used_at)| SessionTouch { session, last_used_at })
            .collect();
        let mut batches = touches.chunks(BATCH_ITEMS_MAX);
        while let Some(batch) = batches.next() {
            if let Err(error) = self.kms.touch(batch).await {
                batch.iter().chain(batches.flatten()).for_each(|one| self.add(*one));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Reports what has gathered, again and again. Never ends by itself.
    pub async fn run(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(REPORT_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.report_now().await {
                tracing::debug!(error = &error as &dyn std::error::Error, "last uses wait for the KMS");
            }
        }
    }
}
