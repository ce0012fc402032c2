//! Turns of large downloads: how many may be under way at the same time, and how many of them may be one
//! caller's.
//!
//! A large download holds a few MiB for as long as its reader takes. So there is a bound on all of them,
//! and a smaller one on those of one caller: who opens many and reads none of them waits for himself.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use coffer_core::UserId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a large download waits for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(5);
/// Callers that are remembered before those who have no download any more are forgotten.
const CALLERS_SWEPT_AT: usize = 1024;

/// Whose a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reader {
    /// A user's.
    User(UserId),
    /// Somebody's at this address, where there are no sessions.
    Address(IpAddr),
}

/// A large download's place among those that may be under way. Given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _of_reader: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

/// The turns of all large downloads.
#[derive(Debug)]
pub struct Turns {
    all: Arc<Semaphore>,
    per_reader_max: usize,
    readers: Mutex<HashMap<Reader, Weak<Semaphore>>>,
}

impl Turns {
    /// So many turns, of which one reader has at most so many.
    pub fn new(turns_max: NonZeroUsize, per_reader_max: NonZeroUsize) -> Self {
        let permits = |max: NonZeroUsize| max.get().min(Semaphore::MAX_PERMITS);
        let all = Arc::new(Semaphore::new(permits(turns_max)));
        Self { all, per_reader_max: permits(per_reader_max), readers: Mutex::default() }
    }

    /// A turn, waited for but not for long; nothing if there was none.
    pub(crate) async fn take(&self, reader: Reader) -> Option<Turn> {
        let own = self.of(reader);
        let both = async {
            // One's own first, so that nobody queues more often among all than he may have turns.
            let of_reader = own.acquire_owned().await.ok()?;
            let of_all = Arc::clone(&self.all).acquire_owned().await.ok()?;
            Some(Turn { _of_reader: of_reader, _of_all: of_all })
        };
        tokio::time::timeout(TURN_TIMEOUT, both).await.ok().flatten()
    }

    fn of(&self, reader: Reader) -> Arc<Semaphore> {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = readers.get(&reader).and_then(Weak::upgrade) {
            return own;
        }
        if readers.len() >= CALLERS_SWEPT_AT {
            readers.retain(|_, own| own.strong_count() > 0);
        }
        let own = Arc::new(Semaphore::new(self.per_reader_max));
        readers.insert(reader, Arc::downgrade(&own));
        own
    }
}

#[cfg(test)]
mod tests {
    use coffer_kms_link::testing::user;

    use super::*;

    fn turns(all: usize, per_reader: usize) -> Turns {
        Turns::new(NonZeroUsize::new(all).unwrap(), NonZeroUsize::new(per_reader).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn one_reader_has_a_share_and_the_others_have_the_rest() {
        let turns = turns(4, 2);
        let (ann, ben) = (Reader::User(user(1)), Reader::Address(IpAddr::from([127, 0, 0, 1])));
        let held = [turns.take(ann).await.unwrap(), turns.take(ann).await.unwrap()];
        assert!(turns.take(ann).await.is_none());
        let _of_ben = [turns.take(ben).await.unwrap(), turns.take(ben).await.unwrap()];
        drop(held);
        assert!(turns.take(ann).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn all_readers_together_have_a_bound() {
        let turns = turns(2, 2);
        let _held = [turns.take(Reader::User(user(1))).await, turns.take(Reader::User(user(2))).await];
        assert!(turns.take(Reader::User(user(3))).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_no_more_is_forgotten() {
        let turns = turns(2, 2);
        for number in 0..10_000 {
            drop(turns.take(Reader::User(user(number))).await.unwrap());
        }
        assert!(turns.readers.lock().unwrap().len() <= CALLERS_SWEPT_AT);
    }
}
