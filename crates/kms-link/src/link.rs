//! Puts together what keeps a service in step with the KMS.

use std::future::Future;
use std::sync::Arc;

use coffer_core::Clock;

use crate::follower::{Dependent, Follower};
use crate::freshness::Freshness;
use crate::kms::Kms;
use crate::sessions::Sessions;
use crate::touches::Touches;

/// What keeps one service in step with the KMS.
#[derive(Clone, Debug)]
pub struct Link {
    kms: Arc<dyn Kms>,
    freshness: Arc<Freshness>,
    touches: Arc<Touches>,
    sessions: Arc<Sessions>,
}

impl Link {
    /// A link that knows nothing yet. Until it [`runs`](Self::run) no session is accepted.
    pub fn new(kms: Arc<dyn Kms>, clock: Arc<dyn Clock>) -> Self {
        let freshness = Arc::new(Freshness::default());
        let touches = Arc::new(Touches::new(Arc::clone(&kms)));
        let sessions = Sessions::new(Arc::clone(&kms), clock, Arc::clone(&freshness), Arc::clone(&touches));
        Self { kms, freshness, touches, sessions: Arc::new(sessions) }
    }

    /// Whether what is cached may be used.
    pub fn freshness(&self) -> &Arc<Freshness> {
        &self.freshness
    }

    /// The sessions; they are the service's authenticator.
    pub fn sessions(&self) -> &Arc<Sessions> {
        &self.sessions
    }

    /// Last uses on their way to the KMS. Whoever stops the service reports them once more: what is lost
    /// costs a session at most the time since its last report.
    pub fn touches(&self) -> &Arc<Touches> {
        &self.touches
    }

    /// A follower of the feed that keeps the sessions and `dependents` true.
    pub fn follower(&self, dependents: Vec<Arc<dyn Dependent>>) -> Follower {
        let (kms, freshness) = (Arc::clone(&self.kms), Arc::clone(&self.freshness));
        Follower::new(kms, freshness, Arc::clone(&self.sessions), dependents)
    }

    /// Follows the feed and reports last uses. Never ends by itself.
    pub fn run(&self, dependents: Vec<Arc<dyn Dependent>>) -> impl Future<Output = ()> + Send + use<> {
        let (follower, touches) = (self.follower(dependents), Arc::clone(&self.touches));
        async move {
            tokio::join!(follower.run(), touches.run());
        }
    }

    /// For `/readyz`: whether the feed is being followed.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.freshness.is_fresh() { Ok(()) } else { Err("the revocation feed is not being followed") }
    }
}
