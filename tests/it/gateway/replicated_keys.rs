//! Two gateways over one Redis behave as one.

use std::collections::BTreeSet;
use std::time::Duration;

use coffer_tests::{Event, Events, Keeper, Stack, until};
use serde_json::{Value, json};

use super::usage::{analysis_of, figures};

const VALUE: &str = "/api/v1/kv/value";

/// One person at both gateways.
async fn at_both(stack: &Stack, name: &str) -> [Keeper; 2] {
    let here = stack.keeper(name).await;
    let there = here.at(&stack.gateways[1].url);
    [here, there]
}

async fn value(keeper: &Keeper, key: &str) -> Value {
    keeper.call("GET", &format!("{VALUE}?key={key}")).await.expect_status(200).json()
}

#[tokio::test]
async fn what_one_gateway_does_the_other_knows_at_once() {
    let stack = Stack::separate().gateways(2).start().await;
    let [here, there] = at_both(&stack, "ann").await;
    for n in 0..20 {
        // Each overwrites what the other stored last, and so has an old memory of the key.
        let (writer, reader) = if n % 2 == 0 { (&here, &there) } else { (&there, &here) };
        let stored = writer.json("PUT", &format!("{VALUE}?key=k"), &json!(n)).await.expect_status(200).json();
        assert_eq!(stored["version"], n + 1);
        assert_eq!(value(reader, "k").await, n);
        let listed = figures(reader, "/api/v1/kv/items").await["items"][0].clone();
        assert_eq!(listed["revision"], stored["revision"]);
    }
    there.call("DELETE", "/delete/k").await.expect_status(200);
    here.call("GET", "/retrieve/k").await.expect_status(404);
    assert_eq!(figures(&here, "/api/v1/kv/trash").await["items"][0]["key"], "k");
    here.json("POST", "/api/v1/kv/trash/restore", &json!({ "key": "k" })).await.expect_status(200);
    assert_eq!(value(&there, "k").await, 19);
    for n in 0..5 {
        here.store(&format!("page/{n}"), json!(n)).await.expect_status(200);
    }
    let page = figures(&here, "/api/v1/kv/items?prefix=page/&limit=2").await;
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let next = figures(&there, &format!("/api/v1/kv/items?prefix=page/&limit=9&cursor={cursor}")).await;
    assert_eq!((&next["items"][0]["key"], &next["items"][2]["key"]), (&json!("page/2"), &json!("page/4")));
}

#[tokio::test]
async fn of_those_who_race_at_both_gateways_one_wins_and_no_update_is_lost() {
    let stack = Stack::separate().gateways(2).start().await;
    let both = at_both(&stack, "ann").await;
    let mut races = Vec::new();
    for n in 0..16 {
        let keeper = both[n % 2].clone();
        races.push(tokio::spawn(async move {
            keeper.json("PUT", &format!("{VALUE}?key=first&if_absent=true"), &json!(n)).await.status
        }));
    }
    let mut statuses = Vec::new();
    for race in races {
        statuses.push(race.await.expect("no call fails"));
    }
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[412; 15][..]));

    both[0].store("count", json!(0)).await.expect_status(200);
    let mut counters = Vec::new();
    for n in 0..6 {
        let keeper = both[n % 2].clone();
        counters.push(tokio::spawn(async move { count(&keeper, 5).await }));
    }
    for counter in counters {
        counter.await.expect("no call fails");
    }
    for keeper in &both {
        assert_eq!(value(keeper, "count").await, 30);
    }
    // Without a condition the last writer wins, and every value is in the history.
    let meta = figures(&both[0], "/api/v1/kv/meta?key=count").await;
    assert_eq!(meta["version"], 31);
}

/// Adds one so many times, whoever else does.
async fn count(keeper: &Keeper, times: usize) {
    let mut done = 0;
    while done < times {
        let read = keeper.call("GET", &format!("{VALUE}?key=count")).await.expect_status(200);
        let tag = read.header("etag").expect("a tag").to_owned();
        let next = json!(read.json().as_u64().expect("a number") + 1).to_string().into_bytes();
        let headers = [("if-match", tag.as_str())];
        let written = keeper.send("PUT", &format!("{VALUE}?key=count"), &headers, Some(next)).await;
        assert!(matches!(written.status, 200 | 412), "{written}");
        done += usize::from(written.status == 200);
    }
}

#[tokio::test]
async fn figures_of_both_gateways_are_counted_together_and_access_is_one_at_both() {
    let stack = Stack::separate().gateways(2).start().await;
    let [here, there] = at_both(&stack, "ann").await;
    for n in 0..30 {
        let keeper = if n % 3 == 0 { &there } else { &here };
        keeper.store(&format!("k{}", n % 10), json!(n)).await.expect_status(200);
        keeper.call("GET", "/retrieve/k0").await.expect_status(200);
    }
    for keeper in [&here, &there] {
        let analysis = analysis_of(keeper, "/analysis", 60).await;
        assert_eq!(analysis["operation_distribution"], json!({ "read": 30, "write": 30, "delete": 0 }));
        let top = json!({ "key": "k0", "access_count": 33 });
        assert_eq!(figures(keeper, "/stats").await["top_accessed_keys"][0], top);
        assert_eq!(analysis["total_keys"], 10);
    }
    let bob = stack.keeper("bob").await.at(&stack.gateways[1].url);
    let path = format!("{VALUE}?key=k1&owner={}", here.email);
    bob.call("GET", &path).await.expect_status(403);
    let order = json!({ "key": "k1", "email": bob.email });
    here.json("POST", "/api/v1/kv/grants", &order).await.expect_status(200);
    for (status, path_of_order) in [(200, None), (403, Some("/api/v1/kv/grants/revoke"))] {
        if let Some(path) = path_of_order {
            here.json("POST", path, &order).await.expect_status(204);
        }
        until("the other gateway knows", Duration::from_secs(2), || async {
            bob.call("GET", &path).await.status == status
        })
        .await;
    }
}

const WATCHED: [&str; 3] = ["a/", "a/b/", "c"];
const ROUNDS: usize = 40;

/// Watches a prefix to the end of what is written, dropped again and again in the middle and resumed at the other
/// gateway. Gives the changes in the order in which they came.
async fn follow(both: [Keeper; 2], prefix: &'static str, mut after: String) -> Vec<(u64, String)> {
    let (mut seen, mut turn) = (Vec::new(), 0);
    loop {
        turn += 1;
        let headers = [("last-event-id", after.as_str())];
        let mut watch =
            both[turn % 2].watch(&format!("prefix={prefix}"), &headers).await.expect("it resumes");
        for _ in 0..=turn % 5 {
            if read_one(&mut watch, &mut seen).await {
                return seen;
            }
        }
        // What may have been on its way is lost with the connection.
        after = watch.position().expect("it has one").to_owned();
    }
}

/// Reads one event; whether it was the last change of all.
async fn read_one(watch: &mut Events, seen: &mut Vec<(u64, String)>) -> bool {
    let Event { kind, data, .. } = watch.next().await.expect("the watch goes on");
    if kind != "change" {
        return false;
    }
    let change: Value = serde_json::from_str(&data).expect("a change is JSON");
    let keys = change["changes"].as_array().expect("changes").iter();
    let revision = change["revision"].as_u64().expect("a number");
    seen.extend(keys.map(|one| (revision, one["key"].as_str().expect("a text").to_owned())));
    seen.last().is_some_and(|(_, key)| key.ends_with("last"))
}

async fn write(keeper: Keeper, writer: usize) {
    for n in 0..ROUNDS {
        for prefix in ["a/", "a/b/", "c", "d"] {
            keeper.store(&format!("{prefix}{writer}-{n:02}"), json!(n)).await.expect_status(200);
        }
    }
}

#[tokio::test]
async fn whoever_drops_and_resumes_sees_every_change_of_his_prefix_once_and_in_order() {
    // Whoever drops a connection has the place of it until the gateway writes to it in vain.
    let stack = Stack::separate().gateways(2).set("COFFER_GATEWAY__LIMITS__WATCHERS_PER_USER_MAX", "1000");
    let stack = stack.start().await;
    let both = at_both(&stack, "ann").await;
    let start = figures(&both[0], "/api/v1/kv/changes").await["position"].as_str().unwrap().to_owned();
    let followers: Vec<_> =
        WATCHED.iter().map(|prefix| tokio::spawn(follow(both.clone(), prefix, start.clone()))).collect();
    let writers: Vec<_> = (0..4).map(|n| tokio::spawn(write(both[n % 2].clone(), n))).collect();
    for writer in writers {
        writer.await.expect("no write fails");
    }
    for key in ["a/b/last", "clast"] {
        both[0].store(key, json!(0)).await.expect_status(200);
    }
    for (prefix, follower) in WATCHED.iter().zip(followers) {
        let seen = follower.await.expect("no watch fails");
        assert!(seen.is_sorted_by(|(one, _), (next, _)| one < next), "in the order of the commits");
        let keys: BTreeSet<_> = seen.iter().map(|(_, key)| key.as_str()).collect();
        let inside = ["a/", "a/b/", "c"].iter().filter(|inside| inside.starts_with(prefix)).count();
        assert_eq!((keys.len(), seen.len()), (4 * ROUNDS * inside + 1, 4 * ROUNDS * inside + 1), "{prefix}");
        assert!(keys.iter().all(|key| key.starts_with(prefix)), "{prefix}");
        for writer in 0..4 {
            let own = |key: &&(u64, String)| key.1.contains(&format!("{writer}-"));
            let own: Vec<_> = seen.iter().filter(own).map(|(_, key)| &key[key.len() - 2..]).collect();
            assert!(own.is_sorted(), "{prefix} {writer}: {own:?}");
        }
    }
}
