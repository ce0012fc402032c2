//! Watching keys: over two gateways, through lost connections, and until access is over.

use std::time::Duration;

use coffer_api::kv::KvChangesQuery;
use coffer_client::{GatewayClient, KvWatch, Watched};
use coffer_core::SecretString;
use coffer_tests::{Keeper, Stack};
use serde_json::json;
use tokio::time::{Instant, timeout};

const SOON: Duration = Duration::from_secs(20);

fn client(keeper: &Keeper) -> GatewayClient {
    let token = SecretString::from(keeper.token.as_str());
    GatewayClient::new(&keeper.url, Some(token.into())).expect("the address is one")
}

fn of(prefix: &str, after: Option<String>) -> KvChangesQuery {
    KvChangesQuery { prefix: prefix.to_owned(), owner: None, after }
}

/// The keys of the next changes, so many of them.
async fn told(watch: &mut KvWatch, number: usize) -> Vec<String> {
    let mut keys = Vec::new();
    while keys.len() < number {
        let next = timeout(SOON, watch.next()).await.expect("something happens").expect("the watch goes on");
        if let Watched::Change(change) = next {
            keys.extend(change.changes.into_iter().map(|changed| changed.key));
        }
    }
    keys
}

#[tokio::test]
async fn whoever_drops_and_resumes_at_another_gateway_sees_every_change_once_and_in_order() {
    let stack = Stack::separate().gateways(2).start().await;
    let ann = stack.keeper("ann").await;
    let there = ann.at(&stack.gateways[1].url);
    let mut watch = client(&ann).watch(of("w/", None)).await.expect("the watch opens");
    let mut seen = Vec::new();
    for round in 0..4 {
        for n in 0..5 {
            // Both gateways write, and other keys change in between.
            let writer = if n % 2 == 0 { &ann } else { &there };
            writer.store(&format!("w/{round}{n}"), json!(n)).await.expect_status(200);
            writer.store("other", json!(n)).await.expect_status(200);
        }
        seen.extend(told(&mut watch, 3).await);
        // Dropped in the middle, resumed at the other gateway.
        let position = watch.position().map(str::to_owned);
        let next = if round % 2 == 0 { &there } else { &ann };
        watch = client(next).watch(of("w/", position)).await.expect("the watch resumes");
    }
    seen.extend(told(&mut watch, 8).await);
    let written: Vec<_> = (0..4).flat_map(|round| (0..5).map(move |n| format!("w/{round}{n}"))).collect();
    assert_eq!(seen, written);
}

#[tokio::test]
async fn a_watch_outlives_the_gateway_that_serves_it() {
    let stack = Stack::separate().gateways(2).start().await;
    let ann = stack.keeper("ann").await;
    let mut watch = client(&ann).watch(of("", None)).await.expect("the watch opens");
    ann.store("before", json!(1)).await.expect_status(200);
    assert_eq!(told(&mut watch, 1).await, ["before"]);
    stack.gateways[0].process.kill();
    let there = ann.at(&stack.gateways[1].url);
    there.store("meanwhile", json!(1)).await.expect_status(200);
    stack.gateways[0].process.start();
    assert_eq!(told(&mut watch, 1).await, ["meanwhile"]);
}

/// Waits until a watch ends by a refusal, and how long that took; what happens meanwhile does not count.
async fn refused(watch: &mut KvWatch) -> (u16, Duration) {
    let started = Instant::now();
    loop {
        match timeout(SOON, watch.next()).await.expect("the watch is cut") {
            Ok(_) => {}
            Err(coffer_client::ClientError::Refused(refusal)) => return (refusal.status, started.elapsed()),
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn who_logs_out_or_loses_access_is_cut_within_two_seconds() {
    let stack = Stack::separate().gateways(2).start().await;
    let (ann, bob) = (stack.keeper("ann").await, stack.keeper("bob").await);
    let there = bob.at(&stack.gateways[1].url);
    let grant = json!({ "prefix": "team/", "email": bob.email });
    ann.json("POST", "/api/v1/kv/grants", &grant).await.expect_status(200);
    let query = KvChangesQuery { owner: Some(ann.email.clone()), ..of("team/", None) };
    let mut shared = client(&there).watch(query).await.expect("it is shared");
    let mut own = client(&there).watch(of("", None)).await.expect("the watch opens");
    ann.store("team/a", json!(1)).await.expect_status(200);
    assert_eq!(told(&mut shared, 1).await, ["team/a"]);
    // The client comes back after a quarter of a second to learn why it was cut.
    let limit = Duration::from_secs(2) + Duration::from_millis(500);
    ann.json("POST", "/api/v1/kv/grants/revoke", &grant).await.expect_status(204);
    let (status, took) = refused(&mut shared).await;
    assert!(status == 403 && took < limit, "{status} after {took:?}");
    bob.call("POST", "/logout").await.expect_status(200);
    let (status, took) = refused(&mut own).await;
    assert!(status == 401 && took < limit, "{status} after {took:?}");
}

#[tokio::test]
async fn watchers_of_one_user_are_bounded_and_a_position_that_is_not_kept_is_gone() {
    let stack = Stack::all().set("COFFER_GATEWAY__LIMITS__WATCHERS_PER_USER_MAX", "2").start().await;
    let (ann, bob) = (stack.keeper("ann").await, stack.keeper("bob").await);
    let open = async |keeper: &Keeper| client(keeper).watch(of("", None)).await;
    let (one, _two) = (open(&ann).await.expect("there is room"), open(&ann).await.expect("there is room"));
    let crowded = open(&ann).await.expect_err("there is no more room");
    assert!(crowded.retry_after().is_some(), "{crowded}");
    open(&bob).await.expect("others have room of their own");
    drop(one);
    coffer_tests::until("there is room again", SOON, || async { open(&ann).await.is_ok() }).await;
    let gone = ann.call("GET", "/api/v1/kv/changes?after=1-1").await.expect_status(410);
    assert_eq!(gone.field("code"), "changes_gone");
}

#[tokio::test]
async fn a_gateway_that_stops_does_not_wait_for_its_watchers() {
    let stack = Stack::separate().gateways(2).start().await;
    let ann = stack.keeper("ann").await;
    let mut watch = client(&ann).watch(of("", None)).await.expect("the watch opens");
    ann.store("a", json!(1)).await.expect_status(200);
    assert_eq!(told(&mut watch, 1).await, ["a"]);
    // Less than `http.shutdown_timeout_s`.
    let status = stack.gateways[0].process.stop(Duration::from_secs(6)).await;
    assert!(status.success(), "{status}");
}
