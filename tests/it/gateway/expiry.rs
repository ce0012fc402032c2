//! Keys whose time is over, what they leave behind, and how many keys there may be.

use std::sync::Arc;
use std::time::Duration;

use coffer_core::{Clock as _, SystemClock};
use coffer_tests::{Builder, Keeper, RedisServer, Stack, until};
use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};

use super::both;
use super::usage::figures;

const VALUE: &str = "/api/v1/kv/value";
/// Two rounds of what collects, on a busy machine.
const COLLECTED_WITHIN: Duration = Duration::from_secs(5);
const LARGE_BYTES: usize = 4 << 20;

/// A moment that is so far away, and its text.
fn ahead(by: Duration) -> (Instant, String) {
    (Instant::now() + by, SystemClock.now().plus(by).to_string())
}

#[tokio::test]
async fn a_key_is_gone_when_its_time_is_over_for_every_reader_and_watchers_are_told() {
    for stack in both().await {
        let ann = stack.keeper("ann").await;
        let mut watch = ann.watch("prefix=k", &[]).await.expect("the watch opens");
        let (end, expires_at) = ahead(Duration::from_secs(4));
        for key in ["k1", "k2", "k3"] {
            let path = format!("{VALUE}?key={key}&expires_at={expires_at}");
            let meta = ann.json("PUT", &path, &json!(key)).await.expect_status(200).json();
            assert_eq!(meta["expires_at"], expires_at);
        }
        // Stored anew without an end, and moved to another name, end and all.
        ann.store("k2", json!("stays")).await.expect_status(200);
        ann.json("POST", "/api/v1/kv/move", &json!({ "from": "k3", "to": "k4" })).await.expect_status(200);
        assert_eq!(ann.call("GET", "/retrieve/k1").await.expect_status(200).json()["value"], "k1");
        assert_eq!(figures(&ann, "/stats").await["total_keys"], 3);
        sleep_until(end + Duration::from_millis(20)).await;
        // At once, collected or not.
        for path in ["/retrieve/k1", "/retrieve/k4", "/api/v1/kv/meta?key=k1", "/api/v1/kv/history?key=k1"] {
            ann.call("GET", path).await.expect_status(404);
        }
        ann.call("DELETE", "/delete/k1").await.expect_status(404);
        assert_eq!(figures(&ann, "/keys").await, json!({ "keys": ["k2"], "count": 1 }));
        let items = figures(&ann, "/api/v1/kv/items").await["items"].clone();
        assert_eq!((items.as_array().map(Vec::len), &items[0]["key"]), (Some(1), &json!("k2")));
        // What collects tells each end once, and the figures follow.
        let told = watch.changes(8).await;
        let told: Vec<_> = told.iter().map(|(key, op)| (key.as_str(), op.as_str())).collect();
        assert_eq!(told[..4], [("k1", "put"), ("k2", "put"), ("k3", "put"), ("k2", "put")]);
        let mut ends = told[6..].to_vec();
        ends.sort_unstable();
        assert_eq!(ends, [("k1", "expire"), ("k4", "expire")]);
        let took = end.elapsed();
        assert!(took < COLLECTED_WITHIN, "{took:?}");
        until("the figures follow", COLLECTED_WITHIN, || async {
            figures(&ann, "/stats").await["total_keys"] == 1
        })
        .await;
        // What is gone in this way is not in the trash, and its name is free.
        let absent = ann.json("PUT", &format!("{VALUE}?key=k1&if_absent=true"), &json!(2)).await;
        assert_eq!(absent.expect_status(200).json()["key"], "k1");
        assert_eq!(watch.changes(1).await, [("k1".to_owned(), "put".to_owned())]);
    }
}

/// Bytes that the server holds for data.
fn held_bytes(redis: &RedisServer) -> usize {
    let info = redis.command("INFO memory").expect("it answers");
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).expect("it is told");
    line.trim().parse().expect("a number")
}

#[tokio::test]
async fn the_parts_of_a_large_value_leave_the_storage_with_it() {
    let redis = Arc::new(RedisServer::start().await);
    let stack = Stack::separate().gateways(1).gateway_redis(Arc::clone(&redis)).start().await;
    let ann = stack.keeper("ann").await;
    let kind = [("content-type", "application/octet-stream")];
    let path = |end: &str| format!("{VALUE}?key=large&compress=false&expires_at={end}");
    let before = held_bytes(&redis);
    let (end, expires_at) = ahead(Duration::from_secs(6));
    ann.send("PUT", &path(&expires_at), &kind, Some(vec![7; LARGE_BYTES])).await.expect_status(200);
    let held = held_bytes(&redis) - before;
    assert!(held >= LARGE_BYTES, "{held}");
    sleep_until(end).await;
    until("the storage is free of it", COLLECTED_WITHIN, || async {
        held_bytes(&redis).saturating_sub(before) < LARGE_BYTES / 4
    })
    .await;
}

fn of_three(builder: Builder) -> Builder {
    builder.set("COFFER_GATEWAY__KV__KEYS_PER_OWNER_MAX", "3")
}

/// Waits until the gateway has counted what there is: a new key is refused. One that is not refused goes again.
async fn is_full(keeper: &Keeper) {
    until("there is no room for another key", COLLECTED_WITHIN, || async {
        let answer = keeper.store("more", json!(1)).await;
        if answer.status == 200 {
            keeper.call("DELETE", "/delete/more").await.expect_status(200);
        }
        answer.status == 409
    })
    .await;
}

#[tokio::test]
async fn an_owner_has_so_many_keys_and_what_is_there_can_still_be_changed() {
    for builder in [Stack::all(), Stack::separate().gateways(1)] {
        let stack = of_three(builder).start().await;
        let (ann, bob) = (stack.keeper("ann").await, stack.keeper("bob").await);
        for key in ["a", "b", "c"] {
            ann.store(key, json!(1)).await.expect_status(200);
        }
        is_full(&ann).await;
        let refused = ann.store("d", json!(1)).await.expect_status(409);
        assert_eq!(refused.json(), json!({ "detail": "There are as many of these as are allowed" }));
        let put = |key: &str| json!({ "op": "put", "key": key, "value": 1 });
        let batch = json!({ "atomic": true, "operations": [put("a"), put("d")] });
        for (path, body) in
            [("/api/v1/kv/batch", batch), ("/api/v1/kv/copy", json!({ "from": "a", "to": "d" }))]
        {
            let refused = ann.json("POST", path, &body).await.expect_status(409);
            assert_eq!(refused.field("code"), "limit_reached", "{path}");
        }
        bob.store("d", json!("bob's own")).await.expect_status(200);

        // What adds no key is no question of room.
        ann.store("a", json!(2)).await.expect_status(200);
        ann.json("POST", "/api/v1/kv/copy", &json!({ "from": "a", "to": "b" })).await.expect_status(200);
        ann.json("POST", "/api/v1/kv/move", &json!({ "from": "c", "to": "d" })).await.expect_status(200);
        let batch =
            json!({ "atomic": true, "operations": [{ "op": "delete", "key": "d" }, put("e"), put("a")] });
        ann.json("POST", "/api/v1/kv/batch", &batch).await.expect_status(200);
        // What comes back from the trash is a key again.
        is_full(&ann).await;
        let back = json!({ "key": "d" });
        ann.json("POST", "/api/v1/kv/trash/restore", &back).await.expect_status(409);
        ann.call("DELETE", "/delete/e").await.expect_status(200);
        until("there is room again", COLLECTED_WITHIN, || async {
            ann.json("POST", "/api/v1/kv/trash/restore", &back).await.status == 200
        })
        .await;
        let keys = figures(&ann, "/keys").await;
        assert_eq!(keys, json!({ "keys": ["a", "b", "d"], "count": 3 }));
    }
}

#[tokio::test]
async fn room_that_is_made_at_one_gateway_is_room_at_the_other() {
    let stack = of_three(Stack::separate().gateways(2)).start().await;
    let ann = stack.keeper("ann").await;
    let there = ann.at(&stack.gateways[1].url);
    for key in ["a", "b", "c"] {
        ann.store(key, json!(1)).await.expect_status(200);
    }
    is_full(&ann).await;
    // Until nothing that was done here is still to be counted.
    sleep(Duration::from_millis(1500)).await;
    ann.store("d", json!(1)).await.expect_status(409);
    there.call("DELETE", "/delete/a").await.expect_status(200);
    until("there is room", COLLECTED_WITHIN, || async { ann.store("d", json!(1)).await.status == 200 }).await;
}
