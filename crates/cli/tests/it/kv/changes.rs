//! Versions, and changes as they happen.

use std::sync::atomic::{AtomicUsize, Ordering};

use coffer_api::{ErrorCode, FieldError, Problem};
use serde_json::json;

use super::{gateway, meta, ok};
use crate::fake::{Fake, Response, problem};
use crate::run::Home;

#[test]
fn without_versions_the_last_two_are_compared() {
    let server = gateway(|request| match request.path.as_str() {
        "/api/v1/kv/history" if request.query["key"] == "new" => ok(&json!({ "items": [meta("new", 1)] })),
        "/api/v1/kv/history" => ok(&json!({ "items": [meta("k", 9), meta("k", 7), meta("k", 6)] })),
        "/api/v1/kv/diff" => ok(&json!({ "kind": "json", "edits": [
            { "op": "replace", "path": "/n", "from": 1, "to": "two" }], "truncated": false })),
        _ => None,
    });
    let home = Home::logged_in(&server);
    for (versions, expected) in [(&[][..], ("7", "9")), (&["6"], ("6", "9")), (&["1", "2"], ("1", "2"))] {
        let told = home.run(&[&["kv", "diff", "k"], versions].concat()).expect(0);
        assert!(told.text().ends_with("~ /n: 1 -> \"two\"\n"), "{}", told.text());
        let query = server.state().requests.last().unwrap().query.clone();
        assert_eq!((query["from"].as_str(), query["to"].as_str()), expected);
    }
    assert!(home.run(&["kv", "diff", "new"]).expect(5).stderr.contains("only one version"));
    assert_eq!(home.run(&["kv", "history", "k", "--json"]).expect(0).json()["items"][0]["version"], 9);
}

#[test]
fn a_version_is_restored_and_without_one_the_key_comes_back_from_the_trash() {
    let server =
        gateway(|request| request.path.contains("restore").then(|| meta("k", 4)).and_then(|m| ok(&m)));
    let home = Home::logged_in(&server);
    home.run(&["kv", "restore", "k", "--version", "2", "--if-revision", "103"]).expect(0);
    let body = server.state().requests.last().unwrap().body.clone();
    assert_eq!(body, json!({ "key": "k", "version": 2, "if_revision": 103 }));
    home.run(&["kv", "restore", "k"]).expect(0);
    assert_eq!(server.count("/api/v1/kv/trash/restore"), 1);
    home.run(&["kv", "restore", "k", "--owner", "bob@example.com"]).expect(2);
    home.run(&["kv", "restore", "k", "--if-revision", "1"]).expect(2);
}

#[test]
fn a_watch_goes_on_behind_the_last_change_when_its_connection_is_lost_and_ends_with_a_refusal() {
    let watches = AtomicUsize::new(0);
    let event = |revision: u64| {
        let changed = json!({ "key": "k", "op": "put", "version": revision });
        let data = json!({ "revision": revision, "at": "2026-01-01T00:00:00Z", "changes": [changed] });
        format!("id: {revision}\nevent: change\ndata: {data}\n\n")
    };
    let server = gateway(move |request| match request.path.as_str() {
        "/api/v1/kv/watch" => {
            let stream = |body: String| {
                let kind = vec![("content-type", "text/event-stream".into())];
                Some(Response::Answer(200, kind, body.into_bytes()))
            };
            match watches.fetch_add(1, Ordering::SeqCst) {
                // Lost before anything was told, behind the place where it begins, in the middle of an event, and while
                // the gateway is away.
                0 => stream(String::new()),
                1 => stream(": alive\nid: 6-1\n\n".to_owned()),
                2 => stream(format!("{}{}", event(7), &event(8)[..9])),
                3 => Some(problem(ErrorCode::Unavailable)),
                4 => stream(event(8)),
                _ => Some(problem(ErrorCode::AccessDenied)),
            }
        }
        _ => None,
    });
    let home = Home::logged_in(&server);
    let ended = home.run(&["--json", "kv", "watch", "team/", "--owner", "bob@example.com"]).expect(4);
    let told: Vec<serde_json::Value> =
        ended.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.iter().map(|change| change["revision"].as_u64().unwrap()).collect::<Vec<_>>(), [7, 8]);
    let state = server.state();
    let watches = state.requests.iter().filter(|request| request.path == "/api/v1/kv/watch");
    let places: Vec<_> = watches
        .map(|request| {
            (
                request.query.get("after").map(String::as_str),
                request.headers.get("last-event-id").map(String::as_str),
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            (None, None),
            (None, None),
            (None, Some("6-1")),
            (None, Some("7")),
            (None, Some("7")),
            (None, Some("8"))
        ]
    );
}

#[test]
fn a_change_that_comes_before_the_place_to_begin_is_told() {
    let watches = AtomicUsize::new(0);
    let server = gateway(move |request| {
        let data = r#"{"revision":7,"at":"2026-01-01T00:00:00Z","changes":[]}"#;
        let event = format!("id: 7\nevent: change\ndata: {data}\n\n");
        let kind = vec![("content-type", "text/event-stream".into())];
        (request.path == "/api/v1/kv/watch").then(|| match watches.fetch_add(1, Ordering::SeqCst) {
            0 => Response::Answer(200, kind, event.into_bytes()),
            _ => problem(ErrorCode::AccessDenied),
        })
    });
    let home = Home::logged_in(&server);
    let ended = home.run(&["--json", "kv", "watch"]).expect(4);
    assert!(ended.text().starts_with("{\"revision\":7,"), "{}", ended.text());
}

#[test]
fn a_place_that_is_none_is_refused_by_the_name_of_the_option() {
    let server = Fake::start_with(|request, _| {
        let wrong = FieldError::new("after", "is not a position");
        let problem = Problem { errors: vec![wrong], ..Problem::of(ErrorCode::InvalidInput) };
        request.path.ends_with("/watch").then(|| Response::json(422, &serde_json::to_value(problem).unwrap()))
    });
    let home = Home::logged_in(&server);
    for what in ["kv", "config"] {
        let run = ["--json", what, "watch", "--since", "abc"];
        let refused = home.run_with(&run, b"", &[("COFFER_USER_KEY", "a user key of a test")]).expect(2);
        assert!(refused.stderr.contains("--since: is not a position"), "{}", refused.stderr);
        assert!(!refused.stderr.contains("after:"), "{}", refused.stderr);
    }
}

#[test]
fn a_watch_from_an_earlier_place_begins_there() {
    let server =
        gateway(|request| (request.path == "/api/v1/kv/watch").then(|| problem(ErrorCode::ChangesGone)));
    let home = Home::logged_in(&server);
    let gone = home.run(&["kv", "watch", "--since", "5"]).expect(5);
    assert!(gone.stderr.contains("coffer kv ls"), "{}", gone.stderr);
    assert_eq!(server.state().requests.last().unwrap().query["after"], "5");
    assert_eq!(server.count("/api/v1/kv/changes"), 0);
}
