//! What Redis promises beyond the contract: durability, recovery by itself, and keys that do not pile up.

mod leftovers;
mod outages;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use coffer_core::SystemClock;
use coffer_store::records::{Commit, Partition, Records, StoreError, open};
use tokio::time::{Instant, sleep};

use crate::bed::{bytes_of, key};

async fn connect(url: &str) -> Arc<dyn Records> {
    open(url, Arc::new(SystemClock)).await.unwrap()
}

/// A connection that looks behind the store's back.
async fn look(url: &str) -> redis::aio::MultiplexedConnection {
    let plain = url.split('?').next().unwrap();
    redis::Client::open(plain).unwrap().get_multiplexed_async_connection().await.unwrap()
}

async fn keys_of(url: &str) -> Vec<Vec<u8>> {
    let prefix = url.split("prefix=").nth(1).unwrap();
    let command = redis::cmd("KEYS").arg(format!("{prefix}:*")).to_owned();
    command.query_async(&mut look(url).await).await.unwrap()
}

fn put(text: &str) -> Commit {
    Commit::new().put(&key(text), text.to_owned(), None)
}

/// Tries until the server is back; it comes back by itself.
async fn get_when_back(store: &dyn Records, partition: &Partition, text: &str) -> Option<Vec<u8>> {
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        match store.get(partition, &key(text)).await {
            Ok(record) => return record.map(|record| bytes_of(&record).to_vec()),
            Err(StoreError::Unavailable { .. }) if Instant::now() < limit => {
                sleep(Duration::from_millis(20)).await;
            }
            Err(err) => panic!("{err}"),
        }
    }
}
