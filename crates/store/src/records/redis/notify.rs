//! Telling watchers of commits, once for all that happened in the same moment.
//!
//! A commit is answered before it is told of. The first of a quiet time is told at once; while many come, one
//! notification per partition and moment speaks for all of them: a notification for each would cost the server, and
//! every process that watches, as much as a small commit does.

use std::collections::HashSet;
use std::fmt;
use std::mem::take;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use redis::pipe;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::redis_link::Links;

/// Between two rounds of notifications.
const MOMENT: Duration = Duration::from_millis(2);

pub(super) struct Notifier {
    changed: Arc<Changed>,
    wake: Arc<Notify>,
}

/// The channels of the partitions that have changed and whose watchers are not yet told.
#[derive(Default)]
struct Changed(Mutex<HashSet<Vec<u8>>>);

impl Notifier {
    pub(super) fn start(links: Links) -> Self {
        let (changed, wake) = (Arc::<Changed>::default(), Arc::new(Notify::new()));
        tokio::spawn(run(links, Arc::downgrade(&changed), Arc::clone(&wake)));
        Self { changed, wake }
    }

    /// Tells whoever watches this channel, soon.
    pub(super) fn tell(&self, channel: Vec<u8>) {
        let is_new = self.changed.lock().insert(channel);
        if is_new {
            self.wake.notify_one();
        }
    }
}

impl Changed {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        // The task finds that nobody is left.
        self.wake.notify_one();
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notifier")
    }
}

async fn run(links: Links, changed: Weak<Changed>, wake: Arc<Notify>) {
    loop {
        wake.notified().await;
        let Some(channels) = changed.upgrade().map(|changed| take(&mut *changed.lock())) else { return };
        if channels.is_empty() {
            continue;
        }
        let mut publish = pipe();
        for channel in channels {
            publish.cmd("PUBLISH").arg(channel).arg("").ignore();
        }
        // Watchers look by themselves, too; and after a lost connection they are woken.
        if let Err(err) = links.query_all::<()>(&publish).await {
            tracing::debug!(error = ?err, "watchers were not told of commits");
        }
        sleep(MOMENT).await;
    }
}
