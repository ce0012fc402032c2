//! What is easily got wrong at the edges: zones of time, numbers of any size, moments beyond the calendar, compressed bodies.

use coffer_tests::{Keeper, Stack};
use serde_json::json;

use super::usage::analysis_of;
use crate::native::administrator;

/// Fourteen hours before UTC: a moment of an hour ago in UTC is told from one of now.
const ZONE: &str = "Pacific/Kiritimati";

/// The moment at which something is stored, as the contract writes others.
async fn now(keeper: &Keeper) -> String {
    let stored = keeper.store("now", json!(1)).await.expect_status(200).field("timestamp");
    assert!(stored.ends_with("+14:00"), "{stored}");
    stored[..19].replace('T', " ")
}

#[tokio::test]
async fn people_s_times_are_in_the_time_zone_of_all_others() {
    let stack = Stack::separate()
        .gateways(1)
        .set("COFFER_GATEWAY__TIME_ZONE", ZONE)
        .set("COFFER_KMS__AUTH__SESSION_TTL_S", "3600")
        .start()
        .await;
    let admin = Keeper::of(&administrator(&stack).await, &stack);
    let before = now(&admin).await;
    let ann = stack.keeper("ann").await;
    let me = ann.call("GET", "/me").await.expect_status(200).json();
    let expires_at = me["user"]["expires_at"].as_str().expect("a time");
    assert!(expires_at.len() == 26 && expires_at > &*before, "{expires_at} is after {before}");
    let users = admin.call("GET", "/users").await.expect_status(200).json();
    let known = users["users"].as_array().expect("a list").iter().find(|user| user["username"] == "ann");
    let after = now(&admin).await;
    for time in ["created_at", "last_login"] {
        let time = known.and_then(|user| user[time].as_str()).expect("a time");
        assert!(*before <= *time && *time <= *after, "{time} is from {before} to {after}");
    }
}

#[tokio::test]
async fn numbers_of_any_size_are_compared_as_they_are_written_and_that_is_a_read() {
    let stack = Stack::all().start().await;
    let ann = stack.keeper("ann").await;
    for number in ["9007199254740993", "9007199254740992.0", "1e400"] {
        let value = format!("{{\"n\": {number}, \"n2\": [{number}]}}").into_bytes();
        ann.send("PUT", "/api/v1/kv/value?key=n", &[], Some(value)).await.expect_status(200);
    }
    let diff = ann.call("GET", "/api/v1/kv/diff?key=n&from=1&to=2").await.expect_status(200).text();
    let edit = r#"{"op":"replace","path":"/n","from":9007199254740993,"to":9007199254740992.0}"#;
    assert!(diff.contains(edit), "{diff}");
    let diff = ann.call("GET", "/api/v1/kv/diff?key=n&from=2&to=3").await.expect_status(200).text();
    assert!(diff.contains(r#""to":1e400"#), "{diff}");
    let analysis = analysis_of(&ann, "/analysis", 5).await;
    assert_eq!(
        analysis["access_patterns"]["operation_distribution"],
        json!({ "read": 2, "write": 3, "delete": 0 })
    );
}

#[tokio::test]
async fn what_is_refused_is_refused_for_what_it_is() {
    let stack = Stack::all().start().await;
    let ann = stack.keeper("ann").await;
    let (gzip, body) = ([("content-encoding", "gzip")], Some(b"\x1f\x8b\x08".to_vec()));
    let contract = ann.send("POST", "/store", &gzip, body.clone()).await.expect_status(415);
    assert_eq!(contract.field("detail"), "The body must not be compressed");
    let native = ann.send("PUT", "/api/v1/kv/value?key=a", &gzip, body).await.expect_status(415);
    assert_eq!(native.field("code"), "body_compressed");
    let put = async |expires_at: &str| {
        let path = format!("/api/v1/kv/value?key=a&expires_at={expires_at}");
        ann.send("PUT", &path, &[], Some(b"1".to_vec())).await
    };
    put("9999-12-30T21:59:59Z").await.expect_status(200);
    let beyond = put("9999-12-31T23:59:59Z").await.expect_status(422).json();
    let said = beyond["errors"][0]["message"].as_str().expect("a text");
    assert!(said.contains("the last moment is 9999-12-30T22:00:00Z"), "{beyond}");
    let ahead = ann.call("GET", "/api/v1/kv/changes?after=99999999").await.expect_status(410);
    assert_eq!(ahead.field("code"), "changes_gone");
    let moved = json!({ "from": "a", "to": "a", "if_absent": true });
    let refused = ann.json("POST", "/api/v1/kv/move", &moved).await.expect_status(412);
    assert_eq!(refused.field("code"), "revision_mismatch");
}
