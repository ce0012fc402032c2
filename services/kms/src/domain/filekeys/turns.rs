//! Openings on the threads that serve requests: one at a time on each, and between two of them everybody else.
//!
//! An RSA opening takes a fraction of a millisecond (2048 bits) to two milliseconds (4096). Handing each to
//! another thread and its answer back costs several wake-ups, which together were a tenth of all the work. So a
//! request opens what it brought itself, but without holding up others for longer than one opening: of all
//! requests of a thread that have something to open, only one is ever ready to run, and before it opens, the
//! thread looks at its sockets and serves whoever is ready. A log-out that arrives among a thousand unwraps
//! waits for one of them, at each of its steps.
//!
//! The rest waits, but only so many and so long: who comes to too many, or waits too long, is turned away. What is
//! released was decided before the wait, and a revocation counts its two seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::yield_now;
use tokio::time::timeout;

/// How long one may wait for a turn.
const WAIT_MAX: Duration = Duration::from_millis(500);

thread_local! {
    /// The turn of this thread. A thread is no setting, so this is the one place where a static says best what is
    /// meant; a task that moves between threads while it waits costs nothing but the order.
    static TURN: Arc<Semaphore> = Arc::new(Semaphore::new(1));
}

/// Who waits for a turn.
#[derive(Debug)]
pub(super) struct Turns {
    waiting: AtomicUsize,
    waiting_max: usize,
}

/// A place among those who wait.
struct Waiting<'a>(&'a AtomicUsize);

/// A request's turn, until it is dropped.
pub(super) struct Turn<'a> {
    _turn: OwnedSemaphorePermit,
    _waiting: Waiting<'a>,
}

impl Turn<'_> {
    /// Does one piece of `work`, after everybody else was served who is ready.
    pub(super) async fn step<T>(&mut self, work: impl FnOnce() -> T) -> T {
        yield_now().await;
        work()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Turns {
    /// Turns for which at most `waiting_max` may wait, on all threads together.
    pub(super) fn new(waiting_max: usize) -> Self {
        Self { waiting: AtomicUsize::new(0), waiting_max }
    }

    /// Waits for the turn of all that one request has to open; none if too many wait, or it takes too long.
    pub(super) async fn take(&self) -> Option<Turn<'_>> {
        let waiting = self.enter()?;
        let turn = TURN.with(Arc::clone).acquire_owned();
        let turn = timeout(WAIT_MAX, turn).await.ok()?.expect("the turn of a thread is never closed");
        Some(Turn { _turn: turn, _waiting: waiting })
    }

    /// How many requests wait, or have their turn.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn enter(&self) -> Option<Waiting<'_>> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(&self.waiting);
        (before < self.waiting_max).then_some(waiting)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures_util::future::{join, join_all};

    use super::*;

    #[tokio::test]
    async fn between_two_turns_everybody_else_is_served() {
        let (turns, order) = (Turns::new(10), RefCell::new(Vec::new()));
        let work = join_all((0..2).map(|_| async {
            let mut turn = turns.take().await.unwrap();
            for _ in 0..3 {
                turn.step(|| order.borrow_mut().push("turn")).await;
            }
        }));
        let others = async {
            for _ in 0..20 {
                order.borrow_mut().push("other");
                yield_now().await;
            }
        };
        join(work, others).await;
        let order = order.into_inner();
        assert_eq!(order.iter().filter(|what| **what == "turn").count(), 6);
        assert!(!order.windows(2).any(|two| two == ["turn"; 2]), "{order:?}");
    }

    #[tokio::test]
    async fn more_than_may_wait_are_turned_away_and_their_places_are_free_again() {
        let turns = &Turns::new(3);
        for _ in 0..2 {
            let outcomes =
                join_all((0..5).map(|n| async move { Some(turns.take().await?.step(|| n).await) })).await;
            assert_eq!(outcomes.iter().flatten().count(), 3);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_so_long_that_what_was_decided_before_grows_old() {
        let turns = Turns::new(10);
        let first = turns.take().await;
        assert!(first.is_some());
        assert!(turns.take().await.is_none(), "although there is room to wait");
        drop(first);
        assert!(turns.take().await.is_some());
    }
}
