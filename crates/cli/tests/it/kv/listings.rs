//! Lists that come in pages, and figures.

use serde_json::{Value, json};

use super::{gateway, meta, ok};
use crate::fake::Request;
use crate::run::Home;

/// Two pages: what is there, and a cursor that must come back.
fn paged(request: &Request, first: Value, second: Value) -> Value {
    let mut page = if request.query.contains_key("cursor") { second } else { first };
    if !request.query.contains_key("cursor") {
        page["next_cursor"] = "next".into();
    }
    page
}

#[test]
fn keys_and_folded_prefixes_of_all_pages_are_listed_together_in_order() {
    let server = gateway(|request| {
        let first = json!({ "items": [meta("a\u{1b}", 1)], "common_prefixes": ["aa/"] });
        let second = json!({ "items": [meta("b", 2)], "common_prefixes": [] });
        (request.path == "/api/v1/kv/items").then(|| paged(request, first, second)).and_then(|page| ok(&page))
    });
    let home = Home::logged_in(&server);
    let listed = home.run(&["kv", "ls", "--delimiter", "/"]).expect(0);
    let keys: Vec<_> =
        listed.text().lines().skip(1).filter_map(|line| line.split_whitespace().last()).collect();
    assert_eq!(keys, ["a\\u{1b}", "aa/", "b"]);
    let listed = home.run(&["kv", "ls", "--delimiter", "/", "--json"]).expect(0).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert_eq!(server.state().requests.last().unwrap().query["delimiter"], "/");
}

#[test]
fn the_trash_is_listed_in_all_pages() {
    let trashed = |key: &str| {
        let by = "0190163d-8694-739b-aea5-966c26f8ad91";
        json!({ "items": [{ "key": key, "deleted_at": "2026-01-01T00:00:00Z", "deleted_by": by, "version": 1,
            "size_bytes": 1 }] })
    };
    let server = gateway(move |request| {
        let page = || paged(request, trashed("a"), trashed("b"));
        (request.path == "/api/v1/kv/trash").then(page).and_then(|page| ok(&page))
    });
    let home = Home::logged_in(&server);
    let listed = home.run(&["kv", "ls", "--trash", "--json"]).expect(0).json();
    assert_eq!((&listed["items"][0]["key"], &listed["items"][1]["key"]), (&json!("a"), &json!("b")));
    assert!(home.run(&["kv", "ls", "--trash"]).expect(0).text().starts_with("VERSION  SIZE"));
    home.run(&["kv", "ls", "--trash", "--search", "x"]).expect(2);
}

#[test]
fn a_key_is_inspected_with_its_use_and_somebody_elses_without() {
    let server = gateway(|request| match request.path.as_str() {
        "/api/v1/kv/meta" => ok(&meta("k", 3)),
        "/api/v1/kv/history" => ok(&json!({ "items": [meta("k", 3), meta("k", 2)] })),
        "/api/v1/usage/key" => ok(&json!({ "reads": 41, "writes": 3 })),
        _ => None,
    });
    let home = Home::logged_in(&server);
    let text = home.run(&["kv", "inspect", "k"]).expect(0);
    for part in ["512 B, compressed, 25 % of its size", "3, 2 kept", "103", "Reads       41"] {
        assert!(text.text().contains(part), "{part} in {}", text.text());
    }
    assert_eq!(home.run(&["kv", "inspect", "k", "--json"]).expect(0).json()["use"]["reads"], 41);
    let asked = server.count("/api/v1/usage/key");
    let of_bob = home.run(&["kv", "inspect", "k", "--owner", "bob@example.com", "--json"]).expect(0);
    assert_eq!((&of_bob.json()["use"], server.count("/api/v1/usage/key")), (&Value::Null, asked));
}

#[test]
fn figures_are_told_as_one_document_and_as_tables() {
    let server = gateway(|request| {
        let spread = json!({ "count": 1, "mean": 1.0, "min": 1.0, "max": 1.0, "p50": 1.0, "p90": 1.0, "p95": 1.0, "p99": 1.0 });
        let unread = |key: &str| json!({ "items": [{ "key": key, "reads": 0, "writes": 1, "last_at": "2026-01-01T00:00:00Z" }] });
        match request.path.as_str() {
            "/api/v1/usage" => ok(&json!({
                "operations": { "reads": 3, "writes": 2, "deletes": 1 }, "used_keys": 2, "operations_without_key": 0,
                "totals": { "keys": 2, "plain_bytes": 10, "stored_bytes": 5, "compressed_keys": 1, "encrypted_keys": 2,
                    "compressed_share": 0.5, "encrypted_share": 1.0, "stored_per_plain": 0.5 },
                "response_ms": spread, "value_bytes": spread, "recommendations": ["compress more"]
            })),
            "/api/v1/usage/days" => {
                ok(&json!({ "items": [{ "date": "2026-01-31", "reads": 3, "writes": 2, "deletes": 1 }] }))
            }
            "/api/v1/usage/hours" => ok(&json!({ "items": [] })),
            "/api/v1/usage/top" => {
                ok(&json!({ "items": [{ "key": "busy", "count": 5, "last_at": "2026-01-31T00:00:00Z" }] }))
            }
            "/api/v1/usage/unread" => ok(&paged(request, unread("idle"), unread("lazy"))),
            _ => None,
        }
    });
    let home = Home::logged_in(&server);
    let figures = home.run(&["stats", "--json", "--unread", "7"]).expect(0).json();
    assert_eq!((&figures["operations"]["reads"], &figures["days"][0]["writes"]), (&json!(3), &json!(2)));
    assert_eq!(
        (&figures["unread"]["keys"][1]["key"], &figures["unread"]["days"]),
        (&json!("lazy"), &json!(7))
    );
    let text = home.run(&["stats"]).expect(0);
    for part in
        ["3 reads, 2 writes, 1 deletes", "p99 1.00 ms", "2026-01-31  3", "busy", "idle", "- compress more"]
    {
        assert!(text.text().contains(part), "{part} in {}", text.text());
    }
    let unread = server.count("/api/v1/usage/unread");
    home.run(&["stats", "--all"]).expect(0);
    assert_eq!(server.count("/api/v1/usage/unread"), unread);
    assert_eq!(server.state().requests.last().unwrap().query["scope"], "all");
}
