//! How many watch at the same time, and the end of them all when the service stops.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use coffer_core::UserId;
use tokio::sync::watch;

/// Everybody who watches in this process.
#[derive(Clone, Debug)]
pub(crate) struct Watchers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    per_user_max: usize,
    seats: Mutex<HashMap<UserId, usize>>,
    closed: watch::Sender<bool>,
}

/// Room for one watcher, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    watchers: Watchers,
    user: UserId,
}

impl Watchers {
    /// Nobody yet; of one user at most `per_user_max`.
    pub(crate) fn new(per_user_max: NonZeroUsize) -> Self {
        let inner = Inner {
            per_user_max: per_user_max.get(),
            seats: Mutex::default(),
            closed: watch::Sender::new(false),
        };
        Self(Arc::new(inner))
    }

    /// Room for one more of this user's watchers, if there is.
    pub(super) fn sit(&self, user: UserId) -> Option<Seat> {
        let mut seats = self.0.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = seats.entry(user).or_default();
        if *taken >= self.0.per_user_max {
            return None;
        }
        *taken += 1;
        Some(Seat { watchers: self.clone(), user })
    }

    /// Sends everybody away: the service stops.
    pub(crate) fn close(&self) {
        self.0.closed.send_replace(true);
    }

    /// Waits until everybody is sent away.
    pub(super) async fn closed(&self) {
        let mut closed = self.0.closed.subscribe();
        // The sender lives as long as `self`.
        let _ = closed.wait_for(|closed| *closed).await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.watchers.0.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = seats.get_mut(&self.user) {
            *taken -= 1;
            if *taken == 0 {
                seats.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_so_many_seats_and_gets_them_back() {
        let watchers = Watchers::new(NonZeroUsize::new(2).unwrap());
        let (ann, bob) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
        let seats = [watchers.sit(ann), watchers.sit(ann), watchers.sit(bob)];
        assert!(seats.iter().all(Option::is_some) && watchers.sit(ann).is_none());
        drop(seats);
        assert!(watchers.sit(ann).is_some());
        assert!(watchers.0.seats.lock().unwrap().is_empty());
    }
}
