//! Watching: one subscription per process, for the commits of all watched tables.
//!
//! The channel's name says which partition changed. Notifications may be lost while the connection is, so
//! after each reconnection every watcher is woken.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::StreamExt as _;
use redis::Client;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::super::watchers::Watchers;
use super::super::{Partition, Watch};
use super::keys::{self, PartitionKeys};

/// How long the first watcher waits for the subscription; then it watches all the same, and is woken late.
const SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(1);
/// Between attempts to subscribe anew.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// The name of a partition's channel.
type Channel = Vec<u8>;

pub(super) struct Subscription {
    prefix: String,
    client: Client,
    runtime: Handle,
    watchers: Arc<Watchers<Channel>>,
    /// Whether we are subscribed now; nothing as long as nobody watches.
    subscribed: Mutex<Option<watch::Receiver<bool>>>,
}

impl Subscription {
    pub(super) fn new(prefix: String, client: Client) -> Self {
        let (watchers, subscribed) = (Arc::default(), Mutex::new(None));
        Self { prefix, client, runtime: Handle::current(), watchers, subscribed }
    }

    pub(super) async fn watch(&self, partition: &Partition) -> Box<dyn Watch> {
        let channel = PartitionKeys::new(&self.prefix, partition).channel();
        let watch = self.watchers.watch(channel);
        let mut subscribed = self.subscribed();
        let _ = timeout(SUBSCRIBE_TIMEOUT, subscribed.wait_for(|subscribed| *subscribed)).await;
        watch
    }

    /// Starts the subscription with the first watcher.
    fn subscribed(&self) -> watch::Receiver<bool> {
        let mut subscribed = self.subscribed.lock().unwrap_or_else(PoisonError::into_inner);
        let start = || {
            let (tell, told) = watch::channel(false);
            let (client, pattern) = (self.client.clone(), keys::channels(&self.prefix));
            self.runtime.spawn(follow(client, pattern, tell, Arc::downgrade(&self.watchers)));
            told
        };
        subscribed.get_or_insert_with(start).clone()
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.watchers.fmt(f)
    }
}

/// Follows the channels until the store, and with it everyone who asks whether we are subscribed, is gone.
async fn follow(
    client: Client,
    pattern: String,
    subscribed: watch::Sender<bool>,
    watchers: Weak<Watchers<Channel>>,
) {
    loop {
        tokio::select! {
            () = subscribed.closed() => return,
            lost = follow_once(&client, &pattern, &subscribed, &watchers) => {
                if let Err(err) = lost {
                    tracing::debug!(error = %err, "the subscription to changes was lost");
                }
            }
        }
        subscribed.send_replace(false);
        sleep(RETRY_PAUSE).await;
    }
}

async fn follow_once(
    client: &Client,
    pattern: &str,
    subscribed: &watch::Sender<bool>,
    watchers: &Weak<Watchers<Channel>>,
) -> redis::RedisResult<()> {
    let connecting = timeout(SUBSCRIBE_TIMEOUT, client.get_async_pubsub()).await;
    let mut connection = connecting.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
    connection.psubscribe(pattern).await?;
    subscribed.send_replace(true);
    // What was told while we were not subscribed was told to nobody.
    let Some(watched) = watchers.upgrade() else { return Ok(()) };
    watched.wake_all();
    drop(watched);
    let mut messages = connection.into_on_message();
    while let Some(message) = messages.next().await {
        let Some(watched) = watchers.upgrade() else { return Ok(()) };
        watched.wake(&message.get_channel()?);
    }
    Ok(())
}
