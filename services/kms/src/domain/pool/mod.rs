//! Key pairs made ahead of need, so that asking for a file key is a look-up.
//!
//! The pool lives in the store and is shared by all processes. A process takes small blocks of it into
//! memory and serves requests from there; a clean stop puts them back, a crash loses them, which harms
//! nobody. Its generating threads fill the pool up to its target and sleep otherwise. When the
//! pool is empty, what they make goes straight to whoever waits longest, so a flood gets what the cores
//! can make; the wait and the number of those who wait are bounded.
//!
//! One task looks after all this, and only it talks to the store: so one block is fetched at a time, and
//! each commit tells it how many pairs there are now. That number is all that processes need to know of
//! each other: they overshoot the target by the pairs that were being made, and no more.

mod generator;
mod keeper;
mod shelf;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use coffer_core::Random;
use coffer_crypto::filekey::RsaBits;
use coffer_store::records::Sealed;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use crate::repo::pool::{PoolRepo, StoredPair};
use generator::Generator;
use keeper::Keeper;
use shelf::{Shelf, Taken};

pub use generator::MakePair;

/// Callers that may wait for a pair at a time.
const WAITING_CALLERS_MAX: usize = 1024;
/// A block is fetched when fewer pairs than this are at hand.
const READY_PAIRS_LOW: usize = 8;

/// How pairs are made and kept.
#[derive(Clone, Copy, Debug)]
pub struct PoolSettings {
    /// The size of the keys.
    pub bits: RsaBits,
    /// Pairs that are kept ready in the store, for all processes together.
    pub pairs_target: usize,
    /// Threads that make them.
    pub threads: usize,
    /// How long a caller waits for a pair when there is none.
    pub wait_max: Duration,
}

/// What [`KeyPool`] works with.
#[derive(Clone)]
pub struct PoolParts {
    /// Where pairs are kept.
    pub store: Sealed,
    /// Randomness for the places of pairs. (The pairs themselves are made by the crypto engine's own.)
    pub random: Arc<dyn Random>,
    /// How a pair is made.
    pub make: MakePair,
}

/// There is no pair to be had now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Too many callers wait already.
    #[error("too many callers wait for a key pair")]
    Crowded,
    /// No pair was made in time.
    #[error("no key pair was made in time")]
    TimedOut,
    /// The process is shutting down.
    #[error("no more key pairs are made")]
    Closed,
}

/// A supply of key pairs.
pub struct KeyPool {
    shelf: Arc<Shelf>,
    wake: Arc<Notify>,
    close: mpsc::Sender<()>,
    wait_max: Duration,
}

impl KeyPool {
    /// Starts the threads, and a task on the current runtime.
    pub fn start(parts: PoolParts, settings: PoolSettings) -> io::Result<Self> {
        let (shelf, wake) = (Arc::new(Shelf::default()), Arc::new(Notify::new()));
        let (sender, made) = mpsc::unbounded_channel();
        let (close, closed) = mpsc::channel(1);
        let generator = Generator::start(settings.threads, &parts.make, &sender)?;
        let keeper = Keeper {
            repo: PoolRepo::new(parts.store, parts.random, settings.bits),
            shelf: Arc::clone(&shelf),
            wake: Arc::clone(&wake),
            generator,
            made,
            target: settings.pairs_target,
            stored: None,
        };
        tokio::spawn(keeper.run(closed));
        Ok(Self { shelf, wake, close, wait_max: settings.wait_max })
    }

    /// A pair that nobody else gets, not from any process.
    pub async fn take(&self) -> Result<StoredPair, PoolError> {
        match self.shelf.take(WAITING_CALLERS_MAX) {
            Taken::Pair(pair, left) => {
                if left < READY_PAIRS_LOW {
                    self.wake.notify_one();
                }
                Ok(pair)
            }
            Taken::Wait(pair) => {
                self.wake.notify_one();
                let pair = timeout(self.wait_max, pair).await.map_err(|_| PoolError::TimedOut)?;
                pair.map_err(|_| PoolError::Closed)
            }
            Taken::Full => Err(PoolError::Crowded),
            Taken::Closed => Err(PoolError::Closed),
        }
    }

    /// Puts back a pair that was taken and **never shown to anybody**.
    pub fn put_back(&self, pair: StoredPair) {
        self.shelf.put(pair);
    }

    /// Stops, and puts what is at hand back into the store. Call it when the last request was answered.
    pub async fn close(&self) {
        // The keeper answers by hanging up; if it has already, all is done.
        let _ = self.close.send(()).await;
        self.close.closed().await;
    }
}

impl fmt::Debug for KeyPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPool({:?})", self.shelf.level())
    }
}

impl fmt::Debug for PoolParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PoolParts")
    }
}
