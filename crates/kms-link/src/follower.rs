//! Follows the KMS's revocation feed and drops what its events make wrong.

use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use coffer_api::AddressHash;
use coffer_api::internal::{AccessSubject, BATCH_ITEMS_MAX, FeedEvent};
use coffer_core::UserId;
use tokio::time::{Instant, MissedTickBehavior};

use crate::freshness::Freshness;
use crate::kms::{Kms, KmsError};
use crate::sessions::Sessions;

/// How often the feed is polled.
pub const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// A poll that takes longer is given up: it could not make anything fresh any more.
const POLL_TIMEOUT: Duration = Duration::from_millis(1500);

/// Answers about users, beside their sessions, that a service keeps in memory.
pub trait Dependent: Send + Sync + fmt::Debug {
    /// Keeps only the answers that `keep` wants, by the user that they are about and his blinded address.
    fn retain(&self, keep: &mut dyn FnMut(UserId, &AddressHash) -> bool);
}

/// The follower of the feed.
#[derive(Debug)]
pub struct Follower {
    kms: Arc<dyn Kms>,
    freshness: Arc<Freshness>,
    sessions: Arc<Sessions>,
    dependents: Vec<Arc<dyn Dependent>>,
    position: Option<u64>,
}

impl Follower {
    /// A follower that begins at the feed's present end: nothing is cached yet.
    pub(crate) fn new(
        kms: Arc<dyn Kms>,
        freshness: Arc<Freshness>,
        sessions: Arc<Sessions>,
        dependents: Vec<Arc<dyn Dependent>>,
    ) -> Self {
        Self { kms, freshness, sessions, dependents, position: None }
    }

    /// Follows the feed. Never ends by itself.
    pub async fn run(mut self) {
        let mut ticks = tokio::time::interval(POLL_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut was_good = true;
        loop {
            ticks.tick().await;
            let polled = tokio::time::timeout(POLL_TIMEOUT, self.poll()).await;
            let error: Option<Box<dyn Error>> = match polled {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.into()),
                Err(elapsed) => Some(elapsed.into()),
            };
            // One line when it breaks and one when it works again, not one every half second.
            match (&error, was_good) {
                (Some(error), true) => {
                    tracing::warn!(error = error.as_ref(), "the revocation feed cannot be followed");
                }
                (None, false) => tracing::info!("the revocation feed is followed again"),
                _ => {}
            }
            was_good = error.is_none();
        }
    }

    /// Polls once, to the present end of the feed.
    pub async fn poll(&mut self) -> Result<(), KmsError> {
        loop {
            let started = Instant::now();
            let page = self.kms.feed(self.position).await?;
            if page.reset {
                self.drop_everything();
            } else if !page.events.is_empty() {
                self.apply(&page.events);
            }
            self.position = Some(page.position);
            if page.events.len() < BATCH_ITEMS_MAX {
                self.freshness.caught_up(started);
                return Ok(());
            }
        }
    }

    fn drop_everything(&self) {
        self.freshness.begin_events();
        self.sessions.retain(|_, _| false);
        self.retain_dependent(|_, _| false);
    }

    fn retain_dependent(&self, mut keep: impl FnMut(UserId, &AddressHash) -> bool) {
        self.dependents.iter().for_each(|dependent| dependent.retain(&mut keep));
    }

    fn apply(&self, events: &[FeedEvent]) {
        let (mut sessions, mut users) = (HashSet::new(), HashSet::new());
        let (mut access_of_users, mut access_of_addresses) = (HashSet::new(), HashSet::new());
        for event in events {
            match event {
                FeedEvent::SessionEnded(session) => drop(sessions.insert(session)),
                FeedEvent::UserChanged(user) => drop(users.insert(user)),
                FeedEvent::AccessChanged(AccessSubject::User(user)) => drop(access_of_users.insert(user)),
                FeedEvent::AccessChanged(AccessSubject::Address(address)) => {
                    access_of_addresses.insert(address);
                }
            }
        }
        self.freshness.begin_events();
        if !sessions.is_empty() || !users.is_empty() {
            self.sessions.retain(|session, user| !sessions.contains(session) && !users.contains(&user));
        }
        self.retain_dependent(|user, address| {
            !users.contains(&user)
                && !access_of_users.contains(&user)
                && !access_of_addresses.contains(address)
        });
    }
}
