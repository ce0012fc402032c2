//! Many user keys at once: what they cost, and whom.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use coffer_tests::{Http, Keeper, Stack};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Holder, metric, wide};

const DERIVATIONS: &str = "coffer_config_derivations_total";
const DERIVED: &str = "coffer_config_derived_keys";
const WARM: &str = "a user key that is warm";
/// Where the flood comes from, over so many connections each.
const ADDRESSES: u8 = 32;
const CONNECTIONS: u8 = 4;
/// How long a connection of the flood waits before it comes back with another user key.
const AGAIN: Duration = Duration::from_millis(200);
/// Derivations that may wait: two for each address, so that a place for somebody else has to be made.
const QUEUE: u8 = 2 * ADDRESSES;
/// Those who come meanwhile, each from an address of his own, with a user key of his own.
const NEWCOMERS: u8 = 3;
/// What others wait meanwhile, at most, on a machine that has two cores and other work.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);
const DERIVED_MAX: u32 = 16;
/// What a gateway may grow by once the connections are there. What waits at the same time are 64 requests of a kilobyte or
/// two; the rest is what an allocator keeps.
const GROWTH_KIB_MAX: u64 = 8 * 1024;

#[tokio::test]
async fn of_64_concurrent_first_requests_with_one_user_key_one_derives() {
    let stack = Stack::separate().gateways(1).start().await;
    let gateway = &stack.gateways[0];
    Holder::new(&stack, "a first user key").call("GET", "/configs").await.expect_status(200);
    assert_eq!(metric(gateway, DERIVATIONS).await.to_string(), "1");

    let mut requests = JoinSet::new();
    for number in 0..64 {
        // From many addresses, so that no limit on one of them is what is seen.
        let http = Http::from_address(Ipv4Addr::new(127, 0, 1, number));
        let holder = Holder { http, ..Holder::new(&stack, "a user key that is new to all of them") };
        requests.spawn(async move { holder.call("GET", "/configs").await.status });
    }
    let answers = requests.join_all().await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    assert_eq!(metric(gateway, DERIVATIONS).await.to_string(), "2");
}

/// Asks again and again while the flood goes on; the longest wait for an answer.
async fn asking(flooding: &AtomicBool, mut ask: impl AsyncFnMut()) -> (usize, Duration) {
    let (mut asked, mut longest) = (0, Duration::ZERO);
    while flooding.load(Ordering::Relaxed) {
        let began = Instant::now();
        ask().await;
        longest = longest.max(began.elapsed());
        asked += 1;
    }
    (asked, longest)
}

/// Those who bring the flood, connected.
async fn flooders(stack: &Stack) -> Vec<Holder> {
    let mut flooders = Vec::new();
    for connection in 0..ADDRESSES * CONNECTIONS {
        let http = Http::patient(Ipv4Addr::new(127, 0, 2, connection % ADDRESSES));
        let flooder = Holder { http, ..Holder::new(stack, WARM) };
        flooder.call("GET", "/configs/a").await.expect_status(200);
        flooders.push(flooder);
    }
    flooders
}

/// What the flood got.
#[derive(Default)]
struct Got {
    derived: AtomicUsize,
    sent_away: AtomicUsize,
    anything_else: AtomicUsize,
}

/// Brings user keys that nobody had, until it is dropped.
fn flood(flooders: Vec<Holder>, got: &Arc<Got>) -> JoinSet<()> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let mut tasks = JoinSet::new();
    for flooder in flooders {
        let got = Arc::clone(got);
        tasks.spawn(async move {
            loop {
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                let user_key = format!("{number}{}", "k".repeat(1000));
                let answer = Holder { user_key, ..flooder.clone() }.call("GET", "/configs").await;
                match answer.status {
                    200 => got.derived.fetch_add(1, Ordering::Relaxed),
                    429 if answer.header("retry-after").is_some() => {
                        tokio::time::sleep(AGAIN).await;
                        got.sent_away.fetch_add(1, Ordering::Relaxed)
                    }
                    _ => got.anything_else.fetch_add(1, Ordering::Relaxed),
                };
            }
        });
    }
    tasks
}

/// Comes from an address that nobody came from, with a user key that nobody had; how many derivations there were until
/// the answer, the own one included. That is how long one waits, whatever else the machine does.
async fn newcomer(stack: &Stack, number: u8) -> f64 {
    let gateway = &stack.gateways[0];
    let before = metric(gateway, DERIVATIONS).await;
    let http = Http::patient(Ipv4Addr::new(127, 0, 3, number));
    let newcomer = Holder { http, ..Holder::new(stack, &format!("the user key of newcomer {number}")) };
    newcomer.call("GET", "/configs").await.expect_status(200);
    metric(gateway, DERIVATIONS).await - before
}

#[tokio::test]
async fn a_flood_of_user_keys_starves_neither_who_is_known_nor_who_is_new_and_does_not_grow_memory() {
    let stack = wide(Stack::separate().gateways(1))
        .set("COFFER_GATEWAY__CONFIGS__DERIVATION_QUEUE_MAX", &QUEUE.to_string())
        .set("COFFER_GATEWAY__CONFIGS__DERIVED_KEYS_MAX", &DERIVED_MAX.to_string())
        .set("COFFER_KMS__AUTH__EMAIL_OTP", "optional")
        .start()
        .await;
    let gateway = &stack.gateways[0];
    let keeper: Keeper = stack.keeper("ann").await;
    keeper.store("a key", json!("its value")).await.expect_status(200);
    let warm = Holder::new(&stack, WARM);
    warm.json("POST", "/configs", &json!({ "key": "a", "value": 1 })).await.expect_status(201);
    let flooders = flooders(&stack).await;
    let before = gateway.process.memory_kib("RssAnon");

    let (flooding, got) = (AtomicBool::new(true), Arc::new(Got::default()));
    let mut flood = flood(flooders, &got);
    let newcomers = async {
        // First the flood has to be there, more of it than there is room for.
        while got.derived.load(Ordering::Relaxed) < 3 || got.sent_away.load(Ordering::Relaxed) < 100 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let mut waited = Vec::new();
        for number in 1..=NEWCOMERS {
            waited.push(newcomer(&stack, number).await);
        }
        let after = gateway.process.memory_kib("RssAnon");
        flooding.store(false, Ordering::Relaxed);
        (waited, after)
    };
    let configs = asking(&flooding, async || {
        warm.call("GET", "/configs/a").await.expect_status(200);
    });
    let keys = asking(&flooding, async || {
        keeper.call("GET", "/retrieve/a%20key").await.expect_status(200);
    });
    let ((waited, after), configs, keys) = tokio::join!(newcomers, configs, keys);
    flood.shutdown().await;
    assert_eq!(got.anything_else.load(Ordering::Relaxed), 0, "each is served or sent away for a while");
    // One of each address, what was begun before and what ended since; less than all that waits.
    let most = f64::from(ADDRESSES) * 1.5;
    assert!(waited.iter().all(|derivations| (1.0..=most).contains(derivations)), "{waited:?}");
    for (what, (asked, longest)) in [("configurations", configs), ("keys", keys)] {
        assert!(asked > 20 && longest < ANSWERED_WITHIN, "{what}: {asked} reads, {longest:?} at most");
    }
    let there = metric(gateway, DERIVED).await;
    assert!(there <= f64::from(DERIVED_MAX), "{there} derived keys");
    assert!(after < before + GROWTH_KIB_MAX, "{before} KiB before, {after} KiB after");
}
