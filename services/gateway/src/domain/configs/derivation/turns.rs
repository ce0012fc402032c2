//! Whose turn it is to have a user key derived.
//!
//! Every address that has something waiting has a line of its own, and the lines take turns. So who comes from an address
//! that has nothing waiting is served after at most one from each of the others, however much those bring. Lines are
//! bounded, each and together. Where there is no room left for somebody whose line is shorter, whoever came last in the
//! longest line has to go.
//!
//! What this cannot do: somebody who has more addresses than may wait (`configs.derivation_queue_max`) fills the lines with
//! one each, and newcomers are then refused with the others; with fewer, say n, a newcomer waits for n derivations. A
//! derivation costs a good tenth of a second of a core, so 32 addresses keep him waiting for about four seconds of one
//! thread; `configs.derivation_threads` divides that. Whoever's user key is known waits for nobody in any case.
//!
//! The road not taken: serving first who was never served. Whoever has many addresses would then be first for ever.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Gives out turns.
#[derive(Clone, Debug)]
pub(super) struct Turns(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    at_once: usize,
    waiting_max: usize,
    /// Of one address.
    line_max: usize,
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    taken: usize,
    waiting: usize,
    last_number: u64,
    of: HashMap<IpAddr, VecDeque<Waiting>>,
    /// The addresses that have something waiting, each once: who is next comes first.
    order: VecDeque<IpAddr>,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    turn: oneshot::Sender<Turn>,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn(Turns);

/// A place in a line, until it is dropped.
struct Place<'a> {
    turns: &'a Turns,
    address: IpAddr,
    number: u64,
}

impl Turns {
    /// So many at once; of the others so many wait, of one address `line_max`.
    pub(super) fn new(at_once: usize, waiting_max: usize, line_max: usize) -> Self {
        Self(Arc::new(Inner { at_once, waiting_max, line_max, lines: Mutex::default() }))
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn; there is none if too many wait.
    pub(super) async fn take(&self, address: IpAddr) -> Option<Turn> {
        let (number, turn) = {
            let mut lines = self.lines();
            if lines.taken < self.0.at_once {
                lines.taken += 1;
                drop(lines);
                return Some(Turn(self.clone()));
            }
            lines.stand(address, &self.0)?
        };
        let _place = Place { turns: self, address, number };
        turn.await.ok()
    }
}

impl Lines {
    /// Stands at the end of a line, if there is room.
    fn stand(&mut self, address: IpAddr, limits: &Inner) -> Option<(u64, oneshot::Receiver<Turn>)> {
        let own = self.of.get(&address).map_or(0, VecDeque::len);
        if own >= limits.line_max || (self.waiting >= limits.waiting_max && !self.make_room(own)) {
            return None;
        }
        let (turn, receiver) = oneshot::channel();
        self.last_number += 1;
        self.waiting += 1;
        let line = self.of.entry(address).or_default();
        if line.is_empty() {
            self.order.push_back(address);
        }
        line.push_back(Waiting { number: self.last_number, turn });
        Some((self.last_number, receiver))
    }

    /// Sends the last of the longest line away, if even without him that is longer than `own`.
    fn make_room(&mut self, own: usize) -> bool {
        let Some(longest) = self.of.values_mut().max_by_key(|line| line.len()) else { return false };
        if longest.len() <= own + 1 {
            return false;
        }
        // He notices by what he waits for being dropped.
        drop(longest.pop_back());
        self.waiting -= 1;
        true
    }

    /// The next whose turn it is.
    fn next(&mut self) -> Option<Waiting> {
        let address = self.order.pop_front()?;
        let line = self.of.get_mut(&address)?;
        let next = line.pop_front();
        if line.is_empty() {
            self.of.remove(&address);
        } else {
            self.order.push_back(address);
        }
        self.waiting -= 1;
        next
    }

    /// Leaves a line, if he still stands there.
    fn leave(&mut self, address: IpAddr, number: u64) {
        let Some(line) = self.of.get_mut(&address) else { return };
        let Some(at) = line.iter().position(|waiting| waiting.number == number) else { return };
        line.remove(at);
        self.waiting -= 1;
        if line.is_empty() {
            self.of.remove(&address);
            self.order.retain(|other| *other != address);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.turns.lines().leave(self.address, self.number);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut lines = self.0.lines();
            let next = lines.next();
            if next.is_none() {
                lines.taken -= 1;
            }
            next
        };
        if let Some(next) = next {
            // If he goes this very moment, the turn comes back and is dropped here.
            drop(next.turn.send(Turn(self.0.clone())));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::pin::pin;
    use std::task::Poll;

    use futures_util::poll;

    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))
    }

    /// Takes a turn as a task of its own and says who had one, in the order in which they had it.
    fn stand(turns: &Turns, last: u8, had: &Arc<Mutex<Vec<u8>>>) -> tokio::task::JoinHandle<bool> {
        let (turns, had) = (turns.clone(), Arc::clone(had));
        tokio::spawn(async move {
            let turn = turns.take(address(last)).await;
            if turn.is_some() {
                had.lock().unwrap().push(last);
            }
            turn.is_some()
        })
    }

    #[tokio::test]
    async fn a_newcomer_is_served_after_at_most_one_of_each_address_that_waits() {
        let turns = Turns::new(1, 64, 16);
        let (had, running) = (Arc::default(), turns.take(address(0)).await.unwrap());
        let mut tasks = Vec::new();
        for _ in 0..10 {
            for last in 1..=3 {
                tasks.push(stand(&turns, last, &had));
                tokio::task::yield_now().await;
            }
        }
        tasks.push(stand(&turns, 9, &had));
        tokio::task::yield_now().await;
        drop(running);
        for task in tasks {
            assert!(task.await.unwrap());
        }
        let had = had.lock().unwrap();
        assert_eq!(had[..8], [1, 2, 3, 9, 1, 2, 3, 1], "{had:?}");
        let lines = turns.lines();
        assert_eq!((lines.taken, lines.waiting, lines.of.len(), lines.order.len()), (0, 0, 0, 0));
    }

    #[tokio::test]
    async fn where_all_places_are_taken_the_longest_line_gives_one_to_a_shorter_one() {
        let turns = Turns::new(1, 4, 3);
        let (had, running) = (Arc::default(), turns.take(address(0)).await.unwrap());
        let mut tasks = Vec::new();
        for last in [1, 1, 1, 2] {
            tasks.push(stand(&turns, last, &had));
            tokio::task::yield_now().await;
        }
        assert!(!stand(&turns, 1, &had).await.unwrap(), "its line is full");
        for last in [3, 4] {
            tasks.push(stand(&turns, last, &had));
            tokio::task::yield_now().await;
            assert_eq!(turns.lines().waiting, 4);
        }
        assert!(!stand(&turns, 5, &had).await.unwrap(), "no line is longer than one");
        drop(running);
        let mut served = Vec::new();
        for task in tasks {
            served.push(task.await.unwrap());
        }
        assert_eq!(served, [true, false, false, true, true, true], "{had:?}");
    }

    #[tokio::test]
    async fn whoever_goes_leaves_his_place_and_his_turn() {
        let turns = Turns::new(1, 2, 2);
        let running = turns.take(address(0)).await.unwrap();
        {
            let mut gone = pin!(turns.take(address(1)));
            assert!(poll!(gone.as_mut()).is_pending());
            assert_eq!(turns.lines().waiting, 1);
        }
        {
            let lines = turns.lines();
            assert_eq!((lines.waiting, lines.of.len(), lines.order.len()), (0, 0, 0));
        }
        let mut late = Box::pin(turns.take(address(1)));
        assert!(poll!(late.as_mut()).is_pending());
        let mut next = pin!(turns.take(address(2)));
        assert!(poll!(next.as_mut()).is_pending());
        drop(running);
        // It is his turn, and he never looks.
        drop(late);
        assert!(matches!(poll!(next.as_mut()), Poll::Ready(Some(_))));
    }

    #[tokio::test]
    async fn of_more_addresses_than_places_each_has_one_and_the_others_none() {
        let turns = Turns::new(1, 3, 2);
        let _running = turns.take(address(0)).await.unwrap();
        let mut waiting: Vec<_> = (1..=3).map(|last| Box::pin(turns.take(address(last)))).collect();
        for one in &mut waiting {
            assert!(poll!(one.as_mut()).is_pending());
        }
        assert!(turns.take(address(4)).await.is_none());
    }
}
