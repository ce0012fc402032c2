//! Threads that make key pairs with what the processor has to spare.
//!
//! They run at the lowest priority: on an idle machine they have a core each, and beside a request they have
//! next to nothing. They make what they are told to make and then sleep. One more thread has usual priority
//! and works only while somebody waits, so that a busy machine does not keep callers waiting for ever.

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
    /// Whether somebody waits for what is wanted.
    urgent: bool,
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
        for number in 0..=threads {
            let shared = Arc::clone(&generator.shared);
            let (make, pairs) = (Arc::clone(make), pairs.clone());
            let pace = if number == 0 { Pace::Urgent } else { Pace::Ahead };
            thread::Builder::new()
                .name(format!("keygen-{number}"))
                .spawn(move || run(&shared, pace, &make, &pairs))?;
        }
        Ok(generator)
    }

    /// Says how many pairs are needed, those included that are being made. Only a small portion of them is
    /// begun before the next call, because another process may meanwhile make the others. `urgent` says that
    /// somebody waits.
    pub(super) fn need(&self, pairs: usize, urgent: bool) {
        let mut demand = self.shared.demand();
        demand.wanted = pairs.saturating_sub(demand.running).min(self.portion);
        demand.urgent = urgent;
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

/// Which pairs a thread makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// Any, at the lowest priority.
    Ahead,
    /// Those that somebody waits for, at usual priority.
    Urgent,
}

fn run(shared: &Shared, pace: Pace, make: &MakePair, pairs: &UnboundedSender<StoredPair>) {
    if pace == Pace::Ahead {
        // On Linux a priority belongs to a thread, whatever the call's name says (setpriority(2), notes).
        if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE) {
            tracing::warn!(%error, "key pairs are made at usual priority");
        }
    }
    while begin(shared, pace) {
        let pair = make();
        shared.demand().running -= 1;
        if pairs.send(pair).is_err() {
            return;
        }
    }
}

/// Waits until a pair is wanted; `false` if none ever will be.
fn begin(shared: &Shared, pace: Pace) -> bool {
    let idle = |demand: &mut Demand| {
        let mine = demand.wanted > 0 && (pace == Pace::Ahead || demand.urgent);
        !mine && !demand.stopped
    };
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
        generator.need(5, false);
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
    fn for_who_waits_a_thread_of_usual_priority_helps() {
        let own = rustix::process::getpriority_process(Some(rustix::thread::gettid())).unwrap();
        let make: MakePair = Arc::new(|| {
            let nice = rustix::process::getpriority_process(Some(rustix::thread::gettid())).unwrap();
            thread::sleep(Duration::from_millis(5));
            StoredPair { public_pem: nice.to_string(), private_pkcs8: Vec::new() }
        });
        let (sender, mut pairs) = unbounded_channel();
        let generator = Generator::start(1, &make, &sender).unwrap();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..10 {
            generator.need(2, true);
            seen.insert(pairs.blocking_recv().unwrap().public_pem.clone());
        }
        assert_eq!(seen, [own.to_string(), NICE.to_string()].into());
    }

    #[test]
    fn the_threads_end_with_their_handle() {
        let (sender, mut pairs) = unbounded_channel();
        let generator = Generator::start(2, &(Arc::new(pair) as MakePair), &sender).unwrap();
        drop((generator, sender));
        assert!(pairs.blocking_recv().is_none(), "every sender is gone");
    }
}
