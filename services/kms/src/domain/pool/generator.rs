//! Threads that make key pairs with what the processor has to spare.
//!
//! They run at the lowest priority: on an idle machine they have a core each, and beside a request they have
//! next to nothing. They make what they are told to make and then sleep.

use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::mpsc::UnboundedSender;

use crate::repo::pool::StoredPair;

/// Makes one pair.
pub type MakePair = Arc<dyn Fn() -> StoredPair + Send + Sync>;

/// The lowest priority there is: about 1.5 % of a core beside one busy thread of usual priority.
const NICE: i32 = 19;

#[derive(Debug, Default)]
struct Demand {
    wanted: usize,
    running: usize,
    stopped: bool,
}

#[derive(Debug, Default)]
struct Shared {
    demand: Mutex<Demand>,
    changed: Condvar,
}

impl Shared {
    fn demand(&self) -> MutexGuard<'_, Demand> {
        // The numbers are whole at every moment, so a panic elsewhere has broken nothing.
        self.demand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handle to the threads; they end with it.
pub(super) struct Generator {
    shared: Arc<Shared>,
    portion: usize,
}

impl Generator {
    /// Starts `threads` threads that send what they make to `pairs`, which cannot grow beyond what is wanted.
    pub(super) fn start(
        threads: usize,
        make: &MakePair,
        pairs: &UnboundedSender<StoredPair>,
    ) -> io::Result<Self> {
        let generator = Self { shared: Arc::default(), portion: 2 * threads };
        for number in 0..threads {
            let (shared, make, pairs) = (Arc::clone(&generator.shared), Arc::clone(make), pairs.clone());
            thread::Builder::new()
                .name(format!("keygen-{number}"))
                .spawn(move || run(&shared, &make, &pairs))?;
        }
        Ok(generator)
    }

    /// Says how many pairs are needed, those included that are being made. Only a small portion of them is
    /// begun before the next call, because another process may meanwhile make the others.
    pub(super) fn need(&self, pairs: usize) {
        let mut demand = self.shared.demand();
        demand.wanted = pairs.saturating_sub(demand.running).min(self.portion);
        if demand.wanted > 0 {
            self.shared.changed.notify_all();
        }
    }

    /// Ends the threads, each after the pair that it is making.
    pub(super) fn stop(&self) {
        self.shared.demand().stopped = true;
        self.shared.changed.notify_all();
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Generator({:?})", self.shared.demand())
    }
}

fn run(shared: &Shared, make: &MakePair, pairs: &UnboundedSender<StoredPair>) {
    // On Linux a priority belongs to a thread, whatever the call's name says (setpriority(2), notes).
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE) {
        tracing::warn!(%error, "key pairs are made at usual priority");
    }
    while begin(shared) {
        let pair = make();
        shared.demand().running -= 1;
        if pairs.send(pair).is_err() {
            return;
        }
    }
}

/// Waits until a pair is wanted; `false` if none ever will be.
fn begin(shared: &Shared) -> bool {
    let idle = |demand: &mut Demand| demand.wanted == 0 && !demand.stopped;
    let waited = shared.changed.wait_while(shared.demand(), idle);
    let mut demand = waited.unwrap_or_else(PoisonError::into_inner);
    if demand.stopped {
        return false;
    }
    demand.wanted -= 1;
    demand.running += 1;
    true
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    fn pair() -> StoredPair {
        StoredPair { public_pem: String::new(), private_pkcs8: Vec::new() }
    }

    #[test]
    fn as_many_pairs_are_made_as_are_needed_and_at_the_lowest_priority() {
        let niced = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&niced);
        let make: MakePair = Arc::new(move || {
            let nice = rustix::process::getpriority_process(Some(rustix::thread::gettid())).unwrap();
            seen.fetch_add(usize::from(nice == NICE), Ordering::SeqCst);
            pair()
        });
        let (sender, mut pairs) = unbounded_channel();
        let generator = Generator::start(3, &make, &sender).unwrap();
        generator.need(5);
        for _ in 0..5 {
            pairs.blocking_recv().unwrap();
        }
        thread::sleep(Duration::from_millis(20));
        assert!(pairs.try_recv().is_err(), "nobody needed a sixth");
        assert_eq!(niced.load(Ordering::SeqCst), 5);
        let own = rustix::process::getpriority_process(Some(rustix::thread::gettid())).unwrap();
        assert_ne!(own, NICE, "only the generating threads give way");
    }

    #[test]
    fn the_threads_end_with_their_handle() {
        let (sender, mut pairs) = unbounded_channel();
        let generator = Generator::start(2, &(Arc::new(pair) as MakePair), &sender).unwrap();
        drop((generator, sender));
        assert!(pairs.blocking_recv().is_none(), "every sender is gone");
    }
}
