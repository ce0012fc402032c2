//! The pairs that this process holds, and who waits for one. Never both at once.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot::{Receiver, Sender, channel};

use crate::repo::pool::StoredPair;

#[derive(Debug, Default)]
struct Inside {
    ready: VecDeque<StoredPair>,
    waiting: VecDeque<Sender<StoredPair>>,
    closed: bool,
}

/// What a caller gets.
#[derive(Debug)]
pub(super) enum Taken {
    /// A pair, and how many are left.
    Pair(StoredPair, usize),
    /// A place in the queue.
    Wait(Receiver<StoredPair>),
    /// Nothing: too many wait already.
    Full,
    /// Nothing, ever again.
    Closed,
}

/// How many pairs are ready, and how many callers wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) ready: usize,
    pub(super) waiting: usize,
}

#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<Inside>);

impl Shelf {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Every change is one push or pop, so a panic elsewhere has broken nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self, waiting_max: usize) -> Taken {
        let mut inside = self.inside();
        if inside.closed {
            return Taken::Closed;
        }
        if let Some(pair) = inside.ready.pop_front() {
            return Taken::Pair(pair, inside.ready.len());
        }
        inside.waiting.retain(|caller| !caller.is_closed());
        if inside.waiting.len() >= waiting_max {
            return Taken::Full;
        }
        let (sender, receiver) = channel();
        inside.waiting.push_back(sender);
        Taken::Wait(receiver)
    }

    /// Gives a pair to whoever waits longest; if nobody does, the pair comes back.
    pub(super) fn serve(&self, mut pair: StoredPair) -> Option<StoredPair> {
        let mut inside = self.inside();
        while let Some(caller) = inside.waiting.pop_front() {
            match caller.send(pair) {
                Ok(()) => return None,
                // That caller has gone.
                Err(back) => pair = back,
            }
        }
        Some(pair)
    }

    /// Gives a pair to whoever waits longest, or keeps it.
    pub(super) fn put(&self, pair: StoredPair) {
        if let Some(pair) = self.serve(pair) {
            self.inside().ready.push_back(pair);
        }
    }

    pub(super) fn level(&self) -> Level {
        let inside = self.inside();
        let waiting = inside.waiting.iter().filter(|caller| !caller.is_closed()).count();
        Level { ready: inside.ready.len(), waiting }
    }

    /// Turns everybody away from now on, and gives everything that is ready.
    pub(super) fn close(&self) -> Vec<StoredPair> {
        let mut inside = self.inside();
        inside.closed = true;
        inside.waiting.clear();
        inside.ready.drain(..).collect()
    }
}
