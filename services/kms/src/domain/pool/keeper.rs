//! The task that looks after the pool.

use std::sync::Arc;
use std::time::Duration;

use coffer_store::records::StoreError;
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, timeout};

use super::READY_PAIRS_LOW;
use super::generator::Generator;
use super::shelf::Shelf;
use crate::repo::pool::{PoolRepo, StoredPair};

/// Pairs that a process takes from the store at a time, if nobody waits.
const BLOCK_PAIRS: usize = 16;
/// The same while many wait.
const BLOCK_PAIRS_MAX: usize = 64;
/// How often the pool is looked at when nothing happens: other processes change it too.
const LOOK: Duration = Duration::from_secs(5);
/// How long to leave a store alone that has just failed.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a clean stop may take.
const CLOSE_MAX: Duration = Duration::from_secs(5);

pub(super) struct Keeper {
    pub(super) repo: PoolRepo,
    pub(super) shelf: Arc<Shelf>,
    pub(super) wake: Arc<Notify>,
    pub(super) generator: Generator,
    pub(super) made: mpsc::UnboundedReceiver<StoredPair>,
    pub(super) target: usize,
    /// How many pairs the store had when this process last heard of it.
    pub(super) stored: Option<usize>,
}

impl Keeper {
    /// Works until it is told to close, or until nobody is there any more who could.
    pub(super) async fn run(mut self, mut close: mpsc::Receiver<()>) {
        loop {
            if let Err(error) = self.work().await {
                self.stored = None;
                tracing::warn!(error = &error as &dyn std::error::Error, "the key pool is out of reach");
                sleep(PAUSE).await;
            }
            let made = tokio::select! {
                made = self.made.recv() => made,
                () = self.wake.notified() => None,
                () = sleep(LOOK) => { self.stored = None; None }
                _ = close.recv() => break,
            };
            if let Err(error) = self.store(made).await {
                // What was made may or may not be in the store, so it must not be used here.
                tracing::warn!(error = &error as &dyn std::error::Error, "key pairs were not kept");
            }
        }
        self.generator.stop();
        if timeout(CLOSE_MAX, self.put_back()).await.is_err() {
            tracing::warn!("key pairs were not put back in time");
        }
        // Dropping `close` tells whoever waits that this is done.
    }

    /// Fetches a block if one is needed, and has pairs made if the pool is below its target.
    async fn work(&mut self) -> Result<(), StoreError> {
        let stored = match self.stored {
            Some(stored) => stored,
            None => self.repo.count().await?,
        };
        self.stored = Some(stored);
        let level = self.shelf.level();
        if stored > 0 && level.ready < READY_PAIRS_LOW {
            let block = level.waiting.clamp(BLOCK_PAIRS, BLOCK_PAIRS_MAX);
            let (pairs, left) = self.repo.take(block).await?;
            for pair in pairs {
                self.shelf.put(pair);
            }
            self.stored = Some(left);
            if left > 0 && self.shelf.level().ready < READY_PAIRS_LOW {
                self.wake.notify_one();
            }
        }
        self.demand();
        Ok(())
    }

    fn demand(&self) {
        let level = self.shelf.level();
        let there = self.stored.unwrap_or(self.target) + level.ready + self.made.len();
        metrics::gauge!("coffer_key_pool_pairs").set(u32::try_from(there).unwrap_or(u32::MAX));
        let needed = (self.target + level.waiting).saturating_sub(there);
        self.generator.need(needed, level.waiting > 0);
    }

    /// Serves what was made to those who wait and keeps the rest in the store.
    async fn store(&mut self, made: Option<StoredPair>) -> Result<(), StoreError> {
        let mut spare: Vec<_> = made.and_then(|pair| self.shelf.serve(pair)).into_iter().collect();
        while spare.len() < BLOCK_PAIRS_MAX {
            let Ok(pair) = self.made.try_recv() else { break };
            spare.extend(self.shelf.serve(pair));
        }
        if !spare.is_empty() {
            self.stored = None;
            self.stored = Some(self.repo.add(spare).await?);
        }
        Ok(())
    }

    async fn put_back(&mut self) {
        let mut pairs = self.shelf.close();
        while let Ok(pair) = self.made.try_recv() {
            pairs.push(pair);
        }
        while !pairs.is_empty() {
            let rest = pairs.split_off(pairs.len().saturating_sub(BLOCK_PAIRS_MAX));
            if let Err(error) = self.repo.add(rest).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "key pairs were not put back");
                return;
            }
        }
    }
}
