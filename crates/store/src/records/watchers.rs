//! Wakes the readers of this process that watch a partition.

use std::collections::HashMap;
use std::fmt;
use std::future::pending;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use super::{Partition, Watch};

/// The watched partitions. A partition is forgotten when it changes and nobody watches it any more.
#[derive(Default)]
pub(super) struct Watchers(Mutex<HashMap<Partition, watch::Sender<()>>>);

impl Watchers {
    pub(super) fn watch(&self, partition: &Partition) -> Box<dyn Watch> {
        let mut watched = self.lock();
        watched.retain(|_, sender| !sender.is_closed());
        let sender = watched.entry(partition.clone()).or_insert_with(|| watch::Sender::new(()));
        Box::new(Watcher(sender.subscribe()))
    }

    pub(super) fn wake(&self, partition: &Partition) {
        if partition.table().is_watched()
            && let Some(sender) = self.lock().get(partition)
        {
            sender.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Partition, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Watchers {
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
