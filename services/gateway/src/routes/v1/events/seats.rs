//! How many watch at the same time, and the end of them all when the service stops.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coffer_core::UserId;
use tokio::sync::watch;

use crate::domain::configs::Place;

/// How many may watch at the same time through one process, at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeatLimits {
    /// Of one user, or with one user key.
    pub(crate) per_user: NonZeroUsize,
    /// Configurations, from one network address: whoever makes up user keys has no more for it.
    pub(crate) configs_per_address: NonZeroUsize,
    /// Configurations, in all.
    pub(crate) configs: NonZeroUsize,
}

/// As whom somebody sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sitter {
    User(UserId),
    UserKey(Place),
    Address(IpAddr),
    WithAnyUserKey,
}

/// Everybody who watches in this process.
#[derive(Clone, Debug)]
pub(crate) struct Watchers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: SeatLimits,
    seats: Mutex<HashMap<Sitter, usize>>,
    closed: watch::Sender<bool>,
}

/// Room for one watcher, until it is dropped.
#[derive(Debug)]
pub(in crate::routes) struct Seat {
    watchers: Watchers,
    taken: Vec<Sitter>,
}

impl Watchers {
    /// Nobody yet.
    pub(crate) fn new(limits: SeatLimits) -> Self {
        Self(Arc::new(Inner { limits, seats: Mutex::default(), closed: watch::Sender::new(false) }))
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<Sitter, usize>> {
        self.0.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for one more of this user's watchers, if there is.
    pub(in crate::routes) fn sit(&self, user: UserId) -> Option<Seat> {
        self.take(&[(Sitter::User(user), self.0.limits.per_user)])
    }

    /// Room for one more who watches configurations: with this user key, from this address.
    pub(in crate::routes) fn sit_with(&self, user_key: Place, client: IpAddr) -> Option<Seat> {
        let limits = self.0.limits;
        self.take(&[
            (Sitter::UserKey(user_key), limits.per_user),
            (Sitter::Address(client), limits.configs_per_address),
            (Sitter::WithAnyUserKey, limits.configs),
        ])
    }

    /// All of these, or none.
    fn take(&self, wanted: &[(Sitter, NonZeroUsize)]) -> Option<Seat> {
        let mut seats = self.seats();
        let taken = |sitter| seats.get(sitter).copied().unwrap_or(0);
        if wanted.iter().any(|(sitter, max)| taken(sitter) >= max.get()) {
            return None;
        }
        for (sitter, _) in wanted {
            *seats.entry(*sitter).or_default() += 1;
        }
        drop(seats);
        Some(Seat { watchers: self.clone(), taken: wanted.iter().map(|(sitter, _)| *sitter).collect() })
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
        let mut seats = self.watchers.seats();
        for sitter in &self.taken {
            if let Some(taken) = seats.get_mut(sitter) {
                *taken -= 1;
                if *taken == 0 {
                    seats.remove(sitter);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn watchers(per_user: usize, per_address: usize, in_all: usize) -> Watchers {
        let [per_user, configs_per_address, configs] =
            [per_user, per_address, in_all].map(|number| NonZeroUsize::new(number).unwrap());
        Watchers::new(SeatLimits { per_user, configs_per_address, configs })
    }

    #[test]
    fn a_user_has_so_many_seats_and_gets_them_back() {
        let watchers = watchers(2, 1, 1);
        let (ann, bob) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
        let seats = [watchers.sit(ann), watchers.sit(ann), watchers.sit(bob)];
        assert!(seats.iter().all(Option::is_some) && watchers.sit(ann).is_none());
        drop(seats);
        assert!(watchers.sit(ann).is_some());
        assert!(watchers.seats().is_empty());
    }

    #[test]
    fn a_user_key_an_address_and_all_of_them_have_so_many_seats_and_a_refusal_takes_none() {
        let watchers = watchers(2, 3, 4);
        let address = |last| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
        let sit = |key, last| watchers.sit_with(Place::testing(key), address(last));
        let mut seats = vec![sit(1, 1).unwrap(), sit(1, 1).unwrap()];
        assert!(sit(1, 2).is_none(), "of one user key");
        seats.push(sit(2, 1).unwrap());
        assert!(sit(3, 1).is_none(), "of one address");
        seats.push(sit(3, 2).unwrap());
        assert!(sit(4, 3).is_none(), "of all");
        seats.pop();
        assert!(sit(3, 3).is_some(), "what was refused holds nothing");
        drop(seats);
        assert!(watchers.seats().is_empty());
    }
}
