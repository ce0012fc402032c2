//! The service's bound on bytes in flight, shared out among the users who read large values.
//!
//! Nobody has more than a quarter of it, so that whoever lets many answers wait takes nothing but what is their own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use coffer_core::UserId;
use coffer_server::{BytesInFlight, Reservation};

use crate::domain::kv::{Memory, Share};

/// Which part of the bound one user may have.
const USERS: usize = 4;
/// How long is waited for what others, or the same user's other requests, give back.
const WAIT: Duration = Duration::from_secs(2);
/// So many users are remembered before those who have nothing are forgotten.
const REMEMBERED: usize = 1024;

/// Who has how much.
#[derive(Debug)]
pub(crate) struct ValueMemory {
    all: BytesInFlight,
    users: Mutex<HashMap<UserId, BytesInFlight>>,
}

impl ValueMemory {
    pub(crate) fn new(all: BytesInFlight) -> Self {
        Self { all, users: Mutex::default() }
    }

    fn part_of(&self, user: UserId) -> BytesInFlight {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if users.len() >= REMEMBERED {
            users.retain(|_, part| !part.is_unused());
        }
        users.entry(user).or_insert_with(|| self.all.part(USERS)).clone()
    }
}

#[async_trait]
impl Memory for ValueMemory {
    async fn hold(&self, user: UserId, bytes: usize) -> Option<Box<dyn Share>> {
        let bounds = [self.part_of(user), self.all.clone()];
        // First their own: who waits for that keeps nobody else waiting.
        let own = bounds[0].share_within(bytes, WAIT).await.ok()?;
        let of_all = bounds[1].share_within(bytes, WAIT).await.ok()?;
        Some(Box::new(UserShare { bounds, shares: [own, of_all] }))
    }
}

/// What one answer has of the user's part and of the whole.
#[derive(Debug)]
struct UserShare {
    bounds: [BytesInFlight; 2],
    shares: [Reservation; 2],
}

impl Share for UserShare {
    fn shrink(&mut self, bytes: usize) {
        self.shares.iter_mut().for_each(|share| share.shrink(bytes));
    }

    fn ensure(&mut self, bytes: usize) -> bool {
        self.shares.iter_mut().zip(&self.bounds).all(|(share, bound)| share.ensure(bytes, bound).is_ok())
    }
}
