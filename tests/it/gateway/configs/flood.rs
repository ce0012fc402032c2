//! Many user keys at once: what they cost, and whom.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use coffer_tests::{Http, Keeper, Stack};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Holder, metric, wide};

const DERIVATIONS: &str = "coffer_config_derivations_total";
const DERIVED: &str = "coffer_config_derived_keys";
/// User keys of the flood, which comes from so many addresses over so many connections each.
const FLOOD: usize = 3_000;
const ADDRESSES: u8 = 4;
const CONNECTIONS: usize = 8;
/// What others wait meanwhile, at most, on a machine that has two cores and other work.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);
const DERIVED_MAX: u32 = 16;
/// What a gateway may grow by, far above what it needs, and far below what 3,000 user keys of a kilobyte with their
/// requests would take if they were kept.
const GROWTH_KIB_MAX: u64 = 24 * 1024;

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

/// Brings user keys that nobody had; how many were derived, and how many sent away.
async fn flood(stack: &Stack) -> (usize, usize) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let mut tasks = JoinSet::new();
    for connection in 0..usize::from(ADDRESSES) * CONNECTIONS {
        let last = u8::try_from(connection % usize::from(ADDRESSES)).expect("it is small");
        let http = Http::from_address(Ipv4Addr::new(127, 0, 2, last));
        let start = Holder { http, ..Holder::new(stack, "") };
        tasks.spawn(async move {
            let (mut derived, mut sent_away) = (0, 0);
            loop {
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                if number >= FLOOD {
                    return (derived, sent_away);
                }
                let user_key = format!("{number}{}", "k".repeat(1000));
                let answer = Holder { user_key, ..start.clone() }.call("GET", "/configs").await;
                match answer.status {
                    200 => derived += 1,
                    429 => {
                        assert!(answer.header("retry-after").is_some(), "{answer}");
                        sent_away += 1;
                    }
                    _ => panic!("{answer}"),
                }
            }
        });
    }
    let sum = |(a, b): (usize, usize), (c, d): (usize, usize)| (a + c, b + d);
    tasks.join_all().await.into_iter().fold((0, 0), sum)
}

#[tokio::test]
async fn a_flood_of_user_keys_starves_nobody_and_does_not_grow_memory() {
    // Each address may have four waiting, of the eight that it asks with: the others are sent away.
    let stack = wide(Stack::separate().gateways(1))
        .set("COFFER_GATEWAY__CONFIGS__DERIVATION_QUEUE_MAX", "16")
        .set("COFFER_GATEWAY__CONFIGS__DERIVED_KEYS_MAX", &DERIVED_MAX.to_string())
        .set("COFFER_KMS__AUTH__EMAIL_OTP", "optional")
        .start()
        .await;
    let gateway = &stack.gateways[0];
    let keeper: Keeper = stack.keeper("ann").await;
    keeper.store("a key", json!("its value")).await.expect_status(200);
    let warm = Holder::new(&stack, "a user key that is warm");
    warm.json("POST", "/configs", &json!({ "key": "a", "value": 1 })).await.expect_status(201);
    let before = gateway.process.memory_kib("RssAnon");

    let flooding = AtomicBool::new(true);
    let flooded = async {
        let outcome = flood(&stack).await;
        flooding.store(false, Ordering::Relaxed);
        outcome
    };
    let configs = asking(&flooding, async || {
        warm.call("GET", "/configs/a").await.expect_status(200);
    });
    let keys = asking(&flooding, async || {
        keeper.call("GET", "/retrieve/a%20key").await.expect_status(200);
    });
    let ((derived, sent_away), configs, keys) = tokio::join!(flooded, configs, keys);
    assert!(derived > 0 && sent_away > FLOOD / 2, "{derived} derived, {sent_away} sent away");
    for (what, (asked, longest)) in [("configurations", configs), ("keys", keys)] {
        assert!(asked > 20 && longest < ANSWERED_WITHIN, "{what}: {asked} reads, {longest:?} at most");
    }
    let there = metric(gateway, DERIVED).await;
    assert!(there <= f64::from(DERIVED_MAX), "{there} derived keys");
    let after = gateway.process.memory_kib("RssAnon");
    assert!(after < before + GROWTH_KIB_MAX, "{before} KiB before, {after} KiB after");
}
