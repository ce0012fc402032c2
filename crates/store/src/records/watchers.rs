//! Wakes the readers of this process that watch something.

use std::collections::HashMap;
use std::fmt;
use std::future::pending;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use super::Watch;

/// What is watched, by the name that a back end has for it. It is forgotten when nobody watches it any more.
pub(super) struct Watchers<Name>(Mutex<HashMap<Name, watch::Sender<()>>>);

impl<Name: Eq + Hash> Watchers<Name> {
    pub(super) fn watch(&self, name: Name) -> Box<dyn Watch> {
        let mut watched = self.lock();
        watched.retain(|_, sender| !sender.is_closed());
        let sender = watched.entry(name).or_insert_with(|| watch::Sender::new(()));
        Box::new(Watcher(sender.subscribe()))
    }

    pub(super) fn wake(&self, name: &Name) {
        if let Some(sender) = self.lock().get(name) {
            sender.send_replace(());
        }
    }

    pub(super) fn wake_all(&self) {
        for sender in self.lock().values() {
            sender.send_replace(());
        }
    }
}

impl<Name> Watchers<Name> {
    fn lock(&self) -> MutexGuard<'_, HashMap<Name, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Name> Default for Watchers<Name> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Name> fmt::Debug for Watchers<Name> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watchers({})", self.lock().len())
    }
}

struct Watcher(watch::Receiver<()>);

#[async_trait]
impl Watch for Watcher {
    async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            // The store is gone, so nothing changes any more.
            pending::<()>().await;
        }
    }
}
