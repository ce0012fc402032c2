//! Every call on keys and figures.

use coffer_tests::{Answer, Keeper};
use serde_json::{Value, json};

fn contract() -> Vec<(&'static str, &'static str, Option<Value>)> {
    vec![
        ("POST", "/store", Some(json!({ "key": "a", "value": 1 }))),
        ("GET", "/retrieve/a", None),
        ("DELETE", "/delete/a", None),
        ("GET", "/keys", None),
        ("GET", "/stats", None),
        ("GET", "/analysis", None),
    ]
}

fn native() -> Vec<(&'static str, &'static str, Option<Value>)> {
    let grant = json!({ "prefix": "a", "role": "admin" });
    vec![
        ("GET", "kv/items", None),
        ("PUT", "kv/value?key=a", Some(json!(1))),
        ("GET", "kv/value?key=a", None),
        ("DELETE", "kv/value?key=a", None),
        ("GET", "kv/meta?key=a", None),
        (
            "POST",
            "kv/batch",
            Some(json!({ "atomic": true, "operations": [{ "op": "put", "key": "a", "value": 1 }] })),
        ),
        ("POST", "kv/copy", Some(json!({ "from": "a", "to": "b" }))),
        ("POST", "kv/move", Some(json!({ "from": "a", "to": "b" }))),
        ("GET", "kv/history?key=a", None),
        ("GET", "kv/diff?key=a&from=1&to=2", None),
        ("POST", "kv/restore", Some(json!({ "key": "a", "version": 1 }))),
        ("GET", "kv/trash", None),
        ("DELETE", "kv/trash?key=a", None),
        ("POST", "kv/trash/restore", Some(json!({ "key": "a" }))),
        ("GET", "kv/grants", None),
        ("POST", "kv/grants", Some(grant.clone())),
        ("POST", "kv/grants/revoke", Some(grant)),
        ("GET", "kv/shared", None),
        ("GET", "kv/changes", None),
        ("GET", "kv/watch", None),
        ("GET", "usage", None),
        ("GET", "usage/days", None),
        ("GET", "usage/hours", None),
        ("GET", "usage/top", None),
        ("GET", "usage/recent", None),
        ("GET", "usage/unread?days=1", None),
    ]
}

fn is_clear(answer: &Answer, path: &str) {
    assert_eq!(answer.status, 503, "{path}: {answer}");
    let wait: u64 = answer.header("retry-after").expect(path).parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{path}: {wait}");
    // Nothing of the inside is told.
    let told = answer.text().to_lowercase();
    assert!(
        !["redis", "sqlite", "127.0.0.1", "os error", "refused"].iter().any(|word| told.contains(word)),
        "{told}"
    );
}

/// Every call is answered with 503 and when to come back, in the words of its surface.
pub(super) async fn every_call_is_a_clear_503(keeper: &Keeper) {
    for (method, path, body) in contract() {
        let answer = keeper.send(method, path, &[], body.map(|body| body.to_string().into_bytes())).await;
        is_clear(&answer, path);
        assert!(answer.json()["detail"].is_string(), "{path}: {answer}");
    }
    for (method, path, body) in native() {
        let path = format!("/api/v1/{path}");
        let answer = keeper.send(method, &path, &[], body.map(|body| body.to_string().into_bytes())).await;
        is_clear(&answer, &path);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
        assert!(matches!(answer.field("code").as_str(), "unavailable" | "outcome_unknown"), "{answer}");
    }
}
