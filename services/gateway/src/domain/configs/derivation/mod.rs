//! From user keys to derived keys: once each, off the request threads, and remembered for a while.
//!
//! A derivation takes a good tenth of a second of a core, so it is done by few threads of low priority, for which network
//! addresses wait in turns, and concurrent requests with one user key share one. What is being derived belongs to those
//! who wait for it: when the last of them goes, a derivation that has not begun is dropped.

mod advice;
mod cache;
#[cfg(test)]
mod tests;
mod turns;

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use coffer_auth::workers::{WorkError, Workers};
use coffer_core::{Clock, Random, SecretBytes, SecretKey, Timestamp, make_secret_key};
use coffer_crypto::mac::mac;
use coffer_crypto::space::UserKey;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::settings::ConfigsSettings;
use super::space::OpenSpace;
use crate::domain::gate::Gate;
use crate::repo::configs::{Deployment, Place};
use cache::{Cache, CacheLimits, Index};
use turns::Turns;

/// How often expired keys are looked for.
const SWEEP: Duration = Duration::from_secs(1);
/// About how long one derivation takes, to say when to come back.
const ABOUT_MS: u64 = 250;

/// Derives a user key, slowly.
pub type Derive = Arc<dyn Fn(&[u8]) -> UserKey + Send + Sync>;

/// Why a user key is not derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Too many are waiting; when to come back, in seconds.
    Later(u32),
    /// The threads have ended.
    Stopped,
}

/// A user key, derived, with what it opened last.
#[derive(Debug)]
pub(super) struct Derived {
    pub(super) user_key: UserKey,
    pub(super) place: Place,
    pub(super) advice: Option<&'static str>,
    /// Until when it may be in memory, whoever holds it.
    pub(super) until: Timestamp,
    /// The name space that it opens, as far as it is known. Checked against the storage whenever it is used.
    pub(super) space: RwLock<Option<Arc<OpenSpace>>>,
}

type Pending = Shared<BoxFuture<'static, Result<Arc<Derived>, Refusal>>>;
type WeakPending = WeakShared<BoxFuture<'static, Result<Arc<Derived>, Refusal>>>;

/// Derives user keys.
#[derive(Clone)]
pub(super) struct Deriver(Arc<Inner>);

struct Inner {
    derive: Derive,
    deployment: Arc<Deployment>,
    cache: Cache,
    gate: Gate<IpAddr>,
    turns: Turns,
    workers: Workers,
    pending: Mutex<HashMap<Index, WeakPending>>,
    index_key: SecretKey,
    clock: Arc<dyn Clock>,
    life: Duration,
    queue_s: u32,
}

impl Deriver {
    pub(super) fn start(
        settings: &ConfigsSettings,
        deployment: Arc<Deployment>,
        derive: Derive,
        (clock, random): (Arc<dyn Clock>, &dyn Random),
    ) -> Result<Self, WorkError> {
        let (threads, queue) = (settings.derivation_threads, settings.derivation_queue_max);
        let limits = CacheLimits {
            entries_max: settings.derived_keys_max,
            idle: Duration::from_secs(settings.derived_key_idle_s.into()),
            life: Duration::from_secs(settings.derived_key_life_s.into()),
        };
        // One address alone does not fill the queue.
        let share = (queue / 4).max(1);
        let queue_s = ABOUT_MS * queue as u64 / threads as u64 / 1000 / 2;
        Ok(Self(Arc::new(Inner {
            derive,
            deployment,
            cache: Cache::new(limits),
            gate: Gate::new(settings.derivations_per_address_per_minute_max),
            turns: Turns::new(threads, queue, share),
            // A turn ends a moment before the thread is free again.
            workers: Workers::start_at_low_priority("derive", threads, 2 * threads)?,
            pending: Mutex::default(),
            index_key: make_secret_key(random),
            clock,
            life: limits.life,
            queue_s: u32::try_from(queue_s).unwrap_or(u32::MAX).max(1),
        })))
    }

    /// The derived form of a user key that `client` brings.
    pub(super) async fn derived(&self, user_key: &[u8], client: IpAddr) -> Result<Arc<Derived>, Refusal> {
        let index = mac(&self.0.index_key, &[user_key]);
        if let Some(derived) = self.0.cache.get(&index, self.0.clock.now()) {
            return Ok(derived);
        }
        self.join(index, user_key, client)?.await
    }

    /// Forgets a user key: it has been given up.
    pub(super) fn forget(&self, user_key: &[u8]) {
        self.0.cache.remove(&mac(&self.0.index_key, &[user_key]));
        self.count();
    }

    /// The derivation that others have begun, or a new one.
    fn join(&self, index: Index, user_key: &[u8], client: IpAddr) -> Result<Pending, Refusal> {
        let mut pending = self.0.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(begun) = pending.get(&index).and_then(WeakPending::upgrade) {
            return Ok(begun);
        }
        // It may have come between the first look and the lock.
        if let Some(derived) = self.0.cache.get(&index, self.0.clock.now()) {
            return Ok(async move { Ok(derived) }.boxed().shared());
        }
        self.0.gate.enter(client).map_err(Refusal::Later)?;
        let (deriver, user_key) = (self.clone(), SecretBytes::new(user_key.to_vec()));
        let begun = async move {
            let outcome = deriver.derive(user_key, client).await;
            if let Ok(derived) = &outcome {
                deriver.keep(index, derived);
            }
            deriver.0.pending.lock().unwrap_or_else(PoisonError::into_inner).remove(&index);
            outcome
        };
        let begun = begun.boxed().shared();
        if let Some(weak) = begun.downgrade() {
            pending.insert(index, weak);
        }
        Ok(begun)
    }

    async fn derive(&self, user_key: SecretBytes, client: IpAddr) -> Result<Arc<Derived>, Refusal> {
        let later = Refusal::Later(self.0.queue_s);
        let turn = self.0.turns.take(client).await.ok_or(later)?;
        let (derive, deployment) = (Arc::clone(&self.0.derive), Arc::clone(&self.0.deployment));
        let until = self.0.clock.now().plus(self.0.life);
        let work = self.0.workers.run(move || {
            // His who waits, but the thread's while it works: it is not free when he goes.
            let _turn = turn;
            let advice = advice::advice(user_key.expose());
            let user_key = derive(user_key.expose());
            let place = Place::of(&user_key, &deployment.pepper);
            Derived { user_key, place, advice, until, space: RwLock::default() }
        });
        work.await.map(Arc::new).map_err(|error| match error {
            WorkError::Overloaded => later,
            WorkError::Stopped => Refusal::Stopped,
        })
    }

    fn keep(&self, index: Index, derived: &Arc<Derived>) {
        self.0.cache.insert(index, Arc::clone(derived), self.0.clock.now());
        metrics::counter!("coffer_config_derivations_total").increment(1);
        self.count();
    }

    /// Tells whoever watches this process how many derived keys it has. A number says nothing of whose they are.
    fn count(&self) {
        metrics::gauge!("coffer_config_derived_keys")
            .set(u32::try_from(self.0.cache.len()).unwrap_or(u32::MAX));
    }

    /// Wipes expired keys until it is dropped.
    pub(super) async fn sweep_for_ever(&self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            self.sweep();
        }
    }

    /// Wipes expired keys, and forgets derivations that nobody waits for any more.
    pub(super) fn sweep(&self) {
        self.0.cache.sweep(self.0.clock.now());
        self.count();
        let mut pending = self.0.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.retain(|_, begun| begun.upgrade().is_some());
    }
}

impl fmt::Debug for Deriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deriver")
    }
}
