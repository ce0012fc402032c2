//! Watching configurations: over two gateways, through lost connections, and until the user key opens nothing more.

use std::sync::Arc;
use std::time::Duration;

use coffer_api::ErrorCode;
use coffer_api::configs::{ConfigChangeKind as Kind, ConfigWatchQuery};
use coffer_client::{ClientError, ConfigWatch, ConfigsClient, Watched};
use coffer_core::SecretString;
use coffer_tests::{Http, Stack, until};
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::{Holder, stacks, wide};

const SOON: Duration = Duration::from_secs(20);
const PATH: &str = "/api/v1/configs/watch";

fn client(url: &str, user_key: &str) -> ConfigsClient {
    ConfigsClient::new(url, Arc::new(SecretString::from(user_key)), None).expect("the address is one")
}

async fn watch(holder: &Holder, after: Option<String>) -> Result<ConfigWatch, ClientError> {
    let query = ConfigWatchQuery { prefix: "w/".to_owned(), after, ..Default::default() };
    client(&holder.url, &holder.user_key).watch(query).await
}

/// The keys of the next changes, so many of them.
async fn told(watch: &mut ConfigWatch, number: usize) -> Vec<String> {
    let mut keys = Vec::new();
    while keys.len() < number {
        let next = timeout(SOON, watch.next()).await.expect("something happens").expect("the watch goes on");
        if let Watched::Change(change) = next {
            keys.extend(change.changes.into_iter().map(|changed| changed.key));
        }
    }
    keys
}

async fn create(holder: &Holder, key: &str) {
    holder.json("POST", "/configs", &json!({ "key": key, "value": 1 })).await.expect_status(201);
}

/// How a watch ends by a refusal, and how long that took.
async fn refused(watch: &mut ConfigWatch) -> (u16, Duration) {
    let started = Instant::now();
    loop {
        match timeout(SOON, watch.next()).await.expect("the watch is cut") {
            Ok(_) => {}
            Err(ClientError::Refused(refusal)) => return (refusal.status, started.elapsed()),
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn changes_are_told_with_names_and_without_values_on_every_storage() {
    for builder in stacks() {
        let stack = builder.start().await;
        let ann = Holder::new(&stack, "the key of ann");
        let mut watch = watch(&ann, None).await.expect("it opens before anything is kept");
        let body = json!({ "key": "w/a", "value": "planted", "category": "c", "environment": "test" });
        ann.json("POST", "/configs", &body).await.expect_status(201);
        ann.json("PUT", "/configs/w/a", &json!({ "value": 2 })).await.expect_status(200);
        ann.call("DELETE", "/configs/w/a").await.expect_status(200);
        let mut seen = Vec::new();
        while seen.len() < 3 {
            if let Watched::Change(change) =
                timeout(SOON, watch.next()).await.expect("something happens").expect("the watch goes on")
            {
                assert!(!serde_json::to_string(&change).expect("JSON").contains("planted"));
                let one = change.changes.into_iter().next().expect("a configuration");
                assert_eq!((one.key.as_str(), one.environment.as_str()), ("w/a", "test"));
                assert_eq!(one.category.as_deref(), Some("c"));
                seen.push((one.op, one.version));
            }
        }
        assert_eq!(seen, [(Kind::Created, 1), (Kind::Updated, 2), (Kind::Deleted, 2)]);
    }
}

#[tokio::test]
async fn whoever_drops_and_resumes_at_another_gateway_sees_every_change_of_configurations_once() {
    let stack = wide(Stack::separate().gateways(2)).start().await;
    let here = Holder::new(&stack, "the key of ann");
    let there = Holder { url: stack.gateways[1].url.clone(), ..here.clone() };
    create(&here, "other").await;
    let mut watched = watch(&here, None).await.expect("the watch opens");
    let mut seen = Vec::new();
    for round in 0..4 {
        for n in 0..5 {
            create(if n % 2 == 0 { &here } else { &there }, &format!("w/{round}{n}")).await;
            create(&here, &format!("other/{round}{n}")).await;
        }
        seen.extend(told(&mut watched, 3).await);
        let position = watched.position().map(str::to_owned);
        watched = watch(if round % 2 == 0 { &there } else { &here }, position).await.expect("it resumes");
    }
    seen.extend(told(&mut watched, 8).await);
    let written: Vec<_> = (0..4).flat_map(|round| (0..5).map(move |n| format!("w/{round}{n}"))).collect();
    assert_eq!(seen, written);
}

#[tokio::test]
async fn who_moves_to_another_user_key_or_logs_out_is_cut_within_two_seconds() {
    // The client comes back after a quarter of a second to learn why it was cut.
    let limit = Duration::from_secs(2) + Duration::from_millis(500);
    let stack = wide(Stack::separate().gateways(2)).start().await;
    let ann = Holder::new(&stack, "the key of ann");
    let there = Holder { url: stack.gateways[1].url.clone(), ..ann.clone() };
    create(&ann, "w/a").await;
    let mut watched = watch(&there, None).await.expect("the watch opens");
    let moved = json!({ "new_user_key": "the new key of ann" });
    ann.json("POST", "/configs/rekey", &moved).await.expect_status(200);
    let (status, took) = refused(&mut watched).await;
    assert!(status == 403 && took < limit, "{status} after {took:?}");
    let position = watched.position().map(str::to_owned);
    let new = Holder { user_key: "the new key of ann".to_owned(), ..there.clone() };
    let mut watched = watch(&new, position.clone()).await.expect("the new user key goes on from there");
    create(&new, "w/b").await;
    assert_eq!(told(&mut watched, 1).await, ["w/b"]);
    let bob = Holder { user_key: "the key of bob".to_owned(), ..there };
    let other = watch(&bob, position).await.expect_err("a position is good for one name space");
    assert_eq!(other.code(), Some(ErrorCode::AccessDenied), "{other}");

    let stack = wide(Stack::all())
        .set("COFFER_GATEWAY__CONFIGS__ACCESS", "session")
        .set("COFFER_KMS__AUTH__EMAIL_OTP", "optional")
        .start()
        .await;
    let keeper = stack.keeper("ann").await;
    let (url, sid) = (stack.gateway_url(PATH), keeper.token.clone());
    let headers = [("x-user-key", "the key of ann"), ("sid", sid.as_str())];
    let mut events = keeper.http.events(&url, &headers).await.expect("the watch opens");
    events.next().await.expect("it begins with a position");
    keeper.call("POST", "/logout").await.expect_status(200);
    let started = Instant::now();
    assert_eq!(events.end().await.as_deref(), Some("invalid_session"));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test]
async fn watching_needs_a_user_key_and_takes_one_of_so_many_places() {
    let stack = wide(Stack::all())
        .set("COFFER_GATEWAY__LIMITS__WATCHERS_PER_USER_MAX", "1")
        .set("COFFER_GATEWAY__LIMITS__CONFIG_WATCHERS_PER_ADDRESS_MAX", "2")
        .start()
        .await;
    let url = stack.gateway_url(PATH);
    let http = Http::default();
    let without = http.get(&url).await.expect_status(403);
    assert_eq!(without.field("code"), "access_denied");
    http.send_raw("GET", &url, &[("x-user-key", "short")], None).await.expect_status(401);
    let key = [("x-user-key", "the key of ann")];
    for (query, field) in [("?after=x", "after"), ("?environment=", "environment"), ("?more=1", "more")] {
        let refused = http.send_raw("GET", &format!("{url}{query}"), &key, None).await.expect_status(422);
        assert_eq!(refused.json()["errors"][0]["field"], field, "{refused}");
    }
    let gone = http.send_raw("GET", &format!("{url}?after=1-1"), &key, None).await.expect_status(410);
    assert_eq!(gone.field("code"), "changes_gone");

    let of = |user_key: &str| Holder::new(&stack, user_key);
    let one = watch(&of("the key of ann"), None).await.expect("there is room");
    let crowded = watch(&of("the key of ann"), None).await.expect_err("one for each user key");
    assert!(crowded.retry_after().is_some(), "{crowded}");
    let _two = watch(&of("the key of bob"), None).await.expect("others have room of their own");
    watch(&of("a third key"), None).await.expect_err("two for each address");
    drop(one);
    until("there is room again", SOON, || async { watch(&of("a third key"), None).await.is_ok() }).await;
}
