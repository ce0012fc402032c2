//! Who stores keys all the time, writes down what he is promised, and watches.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coffer_api::kv::KvChangesQuery;
use coffer_client::{GatewayClient, Watched};
use coffer_core::SecretString;
use coffer_tests::{Http, Keeper, Stack};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const PER_GATEWAY: usize = 2;
/// What a watcher may need to come back and to catch up.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(30);
/// The key that is written last.
const LAST: &str = "~last";

/// What was promised.
#[derive(Debug, Default)]
pub(super) struct Promises {
    /// Keys whose storing was acknowledged.
    pub(super) stored: Vec<String>,
    /// Keys of which it was said that they are not stored.
    pub(super) refused: Vec<String>,
    watched: Vec<String>,
}

/// Those at work.
pub(super) struct Writers {
    stop: Arc<AtomicBool>,
    at_work: Vec<JoinHandle<Promises>>,
    watcher: JoinHandle<Vec<String>>,
    keeper: Keeper,
}

impl Writers {
    pub(super) async fn start(stack: &Stack, keeper: &Keeper) -> Self {
        let token = SecretString::from(keeper.token.as_str());
        let client = GatewayClient::new(&keeper.url, Some(token.into())).expect("the address is one");
        let mut watch = client.watch(KvChangesQuery::default()).await.expect("the watch opens");
        let watcher = tokio::spawn(async move {
            let mut seen = Vec::new();
            while seen.last().is_none_or(|key| key != LAST) {
                // It comes back by itself; a refusal would be for good.
                if let Watched::Change(change) = watch.next().await.expect("nothing ends it") {
                    seen.extend(change.changes.into_iter().map(|one| one.key));
                }
            }
            seen
        });
        let stop = Arc::new(AtomicBool::new(false));
        let mut at_work = Vec::new();
        for (at, gateway) in stack.gateways.iter().enumerate() {
            for n in 0..PER_GATEWAY {
                let keeper = Keeper { http: Http::tolerant(), ..keeper.at(&gateway.url) };
                at_work.push(tokio::spawn(work(keeper, format!("{at}{n}"), Arc::clone(&stop))));
            }
        }
        Self { stop, at_work, watcher, keeper: keeper.clone() }
    }

    /// Sends them home and collects what they were promised.
    pub(super) async fn stop(self) -> Promises {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Promises::default();
        for one in self.at_work {
            let Promises { stored, refused, .. } = one.await.expect("a writer does not fail");
            all.stored.extend(stored);
            all.refused.extend(refused);
        }
        self.keeper.store(LAST, json!(LAST)).await.expect_status(200);
        let watched = timeout(CAUGHT_UP_WITHIN, self.watcher).await.expect("the watcher comes back");
        all.watched = watched.expect("the watch does not fail");
        all
    }
}

/// Stores one key after the other, each once.
async fn work(keeper: Keeper, name: String, stop: Arc<AtomicBool>) -> Promises {
    let mut promises = Promises::default();
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let key = format!("{name}-{n:05}");
        let path = format!("/api/v1/kv/value?key={key}");
        let answer = keeper.json("PUT", &path, &json!(key)).await;
        match answer.status {
            200 => promises.stored.push(key),
            // No answer, and nobody knows.
            0 => sleep(Duration::from_millis(50)).await,
            503 => {
                assert!(answer.header("retry-after").is_some(), "{answer}");
                if answer.field("code") == "unavailable" {
                    promises.refused.push(key);
                }
                sleep(Duration::from_millis(50)).await;
            }
            _ => panic!("{key}: {answer}"),
        }
        sleep(Duration::from_millis(10)).await;
    }
    promises
}

impl Promises {
    /// The watcher was told of every key that there is, once.
    pub(super) fn watched_all(&self, listed: &[&str]) {
        let seen: BTreeSet<&str> = self.watched.iter().map(String::as_str).collect();
        assert_eq!(seen.len(), self.watched.len(), "no change is told twice");
        let listed: BTreeSet<&str> = listed.iter().copied().collect();
        let (missed, more): (Vec<_>, Vec<_>) =
            (listed.difference(&seen).collect(), seen.difference(&listed).collect());
        assert!(missed.is_empty() && more.is_empty(), "missed {missed:?}, and {more:?} is not there");
    }
}
