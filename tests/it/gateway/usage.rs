//! The rows `/stats` and `/analysis` of the key-value contract.

use std::collections::BTreeSet;
use std::time::Duration;

use coffer_core::{Clock as _, SystemClock};
use coffer_tests::{Keeper, Stack, until, until_some};
use serde_json::{Value, json};

use super::stacks;
use crate::native::administrator;

/// What was done shows after a second at the latest; the rest is for a machine that tries everything at once.
const SHOWN_WITHIN: Duration = Duration::from_secs(3);
/// Operations of a [`morning`].
const OPERATIONS: u64 = 12 + 15 + 1;

pub(super) async fn figures(keeper: &Keeper, path: &str) -> Value {
    keeper.call("GET", path).await.expect_status(200).json()
}

/// The analysis once it shows so many operations, which must be soon.
pub(super) async fn analysis_of(keeper: &Keeper, path: &str, operations: u64) -> Value {
    until_some(&format!("{operations} operations are shown"), SHOWN_WITHIN, || async {
        let analysis = figures(keeper, path).await;
        (analysis["access_patterns"]["total_accesses"] == operations).then_some(analysis)
    })
    .await
}

fn names(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().map(String::as_str).collect()
}

/// Stores twelve keys, two of them neither encrypted nor compressed, reads the last five, one to five times, and
/// deletes the first. Gives the bytes that are stored in the end.
async fn morning(ann: &Keeper) -> u64 {
    let mut stored = 0;
    for n in 0..12 {
        let (wants, value) = (n < 10, "v".repeat(400));
        let body =
            json!({ "key": format!("user:{n:02}"), "value": value, "encrypt": wants, "compress": wants });
        let answer = ann.json("POST", "/store", &body).await.expect_status(200).json();
        stored += if n == 0 { 0 } else { answer["size_bytes"].as_u64().expect("a size") };
    }
    for (times, n) in (7..12).enumerate() {
        for _ in 0..=times {
            ann.call("GET", &format!("/retrieve/user:{n:02}")).await.expect_status(200);
        }
    }
    ann.call("DELETE", "/delete/user:00").await.expect_status(200);
    // What is refused or finds nothing is no use of a key.
    ann.call("GET", "/retrieve/user:00").await.expect_status(404);
    stored
}

fn is_a_moment_of_today(datetime: &Value, date: &Value, time: &Value) {
    let today = &SystemClock.now().to_string()[..10];
    assert_eq!(date, today);
    assert_eq!(*datetime, format!("{today} {}", time.as_str().expect("a time")));
    let time = time.as_str().expect("a time");
    assert_eq!((time.len(), &time[2..3], &time[5..6]), (8, ":", ":"), "{time}");
}

async fn nothing_yet(ann: &Keeper) {
    let none = json!({ "total_keys": 0, "total_size_bytes": 0, "encrypted_keys": 0, "compressed_keys": 0,
        "top_accessed_keys": [] });
    assert_eq!(figures(ann, "/stats").await, none);
    let analysis = figures(ann, "/analysis").await;
    let five = [
        "operation_distribution",
        "top_accessed_keys",
        "daily_access_patterns",
        "recent_access_history",
        "response_time_stats",
    ];
    let rest = ["total_keys", "access_patterns", "compression_stats", "encryption_stats", "recommendations"];
    assert_eq!(names(&analysis), five.into_iter().chain(rest).collect());
    let patterns = five.into_iter().chain(["total_accesses", "unique_keys_accessed"]);
    assert_eq!(names(&analysis["access_patterns"]), patterns.collect());
    assert_eq!(analysis["recommendations"], json!([]));
    assert_eq!(analysis["response_time_stats"], json!({ "avg_ms": 0.0, "min_ms": 0.0, "max_ms": 0.0 }));
}

async fn stats_tell_the_morning(ann: &Keeper, stored_bytes: u64) {
    let top = |key: &str, count: u64| json!({ "key": key, "access_count": count });
    let most = [("user:11", 6), ("user:10", 5), ("user:09", 4), ("user:08", 3), ("user:07", 2)];
    let expected = json!({ "total_keys": 11, "total_size_bytes": stored_bytes, "encrypted_keys": 9,
        "compressed_keys": 9, "top_accessed_keys": most.map(|(key, count)| top(key, count)) });
    assert_eq!(figures(ann, "/stats").await, expected);
}

fn analysis_tells_the_morning(analysis: &Value) {
    let patterns = &analysis["access_patterns"];
    assert_eq!((&analysis["total_keys"], &patterns["unique_keys_accessed"]), (&json!(11), &json!(11)));
    for at in [patterns, analysis] {
        assert_eq!(at["operation_distribution"], json!({ "read": 15, "write": 12, "delete": 1 }));
        let today = &SystemClock.now().to_string()[..10];
        assert_eq!(at["daily_access_patterns"], json!({ today: OPERATIONS }));
        let top = at["top_accessed_keys"].as_array().expect("a list");
        let counts: Vec<_> = top.iter().map(|one| one["access_count"].as_u64().expect("a number")).collect();
        assert_eq!((counts, &top[0]["key"]), (vec![6, 5, 4, 3, 2, 1, 1, 1, 1, 1], &json!("user:11")));
        for one in top {
            let moment = ["last_access_datetime", "last_access_date", "last_access_time"];
            is_a_moment_of_today(&one[moment[0]], &one[moment[1]], &one[moment[2]]);
            assert_eq!(names(one), moment.into_iter().chain(["key", "access_count"]).collect());
        }
        let recent = at["recent_access_history"].as_array().expect("a list");
        assert_eq!(recent.len(), 20);
        let member = |n: usize, name: &str| recent[n][name].clone();
        let latest = ["key", "operation", "data_size"].map(|name| member(0, name));
        assert_eq!(latest, [json!("user:00"), json!("delete"), json!(0)]);
        let before = ["key", "operation", "data_size"].map(|name| member(1, name));
        assert_eq!(before, [json!("user:11"), json!("read"), json!(402)]);
        for one in recent {
            is_a_moment_of_today(&one["datetime"], &one["date"], &one["time"]);
            assert!(one["response_time_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{one}");
        }
        let times = ["min_ms", "avg_ms", "max_ms"]
            .map(|name| at["response_time_stats"][name].as_f64().expect("a time"));
        assert!(0.0 < times[0] && times.is_sorted(), "{times:?}");
    }
    let ratio = 9.0 / 11.0;
    assert_eq!(analysis["compression_stats"], json!({ "compressed_keys": 9, "compression_ratio": ratio }));
    assert_eq!(analysis["encryption_stats"], json!({ "encrypted_keys": 9, "encryption_ratio": ratio }));
    // 82 % are compressed, which is enough, and 82 % encrypted, which is not.
    let advice = analysis["recommendations"].as_array().expect("a list");
    let advice: Vec<_> = advice.iter().map(|one| one.as_str().expect("a text")).collect();
    assert!(advice.len() == 2 && advice[0].contains("encrypt"), "{advice:?}");
    assert!(advice[1].contains("'user:'"), "{advice:?}");
}

async fn an_overwrite_keeps_count_and_creation(ann: &Keeper) {
    let meta = async || figures(ann, "/api/v1/kv/meta?key=user:11").await;
    let before = meta().await;
    ann.store("user:11", json!("another")).await.expect_status(200);
    let after = meta().await;
    assert_eq!(after["created_at"], before["created_at"]);
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str(), "{before} {after}");
    let analysis = analysis_of(ann, "/analysis", OPERATIONS + 1).await;
    let first = &analysis["top_accessed_keys"][0];
    assert_eq!((&first["key"], &first["access_count"]), (&json!("user:11"), &json!(7)));
    assert_eq!(analysis["total_keys"], 11);
}

async fn refusals(ann: &Keeper) {
    let nobody = Keeper { token: "A".repeat(43), ..ann.clone() };
    for path in ["/stats", "/analysis"] {
        let without = ann.http.get(&format!("{}{path}", ann.url)).await.expect_status(401);
        assert_eq!(without.json(), json!({ "detail": "Not authenticated" }));
        let bad = nobody.call("GET", path).await.expect_status(401);
        assert_eq!(bad.json(), json!({ "detail": "Invalid or expired session" }));
        let all = ann.call("GET", &format!("{path}?scope=all")).await.expect_status(403);
        assert_eq!(all.json(), json!({ "detail": "Admin access required" }));
        let some = ann.call("GET", &format!("{path}?scope=some")).await.expect_status(422);
        assert_eq!(some.json()["detail"][0]["loc"], json!(["query", "scope"]));
        ann.call("POST", path).await.expect_status(405);
    }
}

/// Everybody's figures are for administrators, and anybody's own are his own.
async fn scopes(stack: &Stack, ann: &Keeper) {
    let bob = stack.keeper("bob").await;
    bob.store("bobs", json!(1)).await.expect_status(200);
    analysis_of(&bob, "/analysis", 1).await;
    assert_eq!(figures(ann, "/stats").await["total_keys"], 11);
    let admin = Keeper::of(&administrator(stack).await, stack);
    for path in ["/stats?scope=all", "/analysis?scope=all"] {
        // Everybody's figures are written after the owner's, within the same second.
        until(path, SHOWN_WITHIN, || async { figures(&admin, path).await["total_keys"] == 12 }).await;
    }
    let analysis = analysis_of(&admin, "/analysis?scope=all", OPERATIONS + 2).await;
    assert_eq!(analysis["recent_access_history"][0]["key"], "bobs");
    assert_eq!(figures(&admin, "/stats").await["total_keys"], 0);
    assert_eq!(figures(&admin, "/analysis?scope=own").await["access_patterns"]["total_accesses"], 0);
}

#[tokio::test]
async fn statistics_and_analysis_tell_what_was_done_on_every_storage_with_codes_and_without() {
    for (builder, _) in stacks() {
        let stack = builder.start().await;
        let ann = stack.keeper("ann").await;
        nothing_yet(&ann).await;
        let stored_bytes = morning(&ann).await;
        analysis_tells_the_morning(&analysis_of(&ann, "/analysis", OPERATIONS).await);
        stats_tell_the_morning(&ann, stored_bytes).await;
        an_overwrite_keeps_count_and_creation(&ann).await;
        refusals(&ann).await;
        scopes(&stack, &ann).await;
    }
}
