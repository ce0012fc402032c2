//! Values on their way in and out.

use std::fs;

use serde_json::json;

use super::{VALUE, gateway, meta, ok};
use crate::fake::{Fake, Response};
use crate::run::Home;

/// Every byte there is, so that anything that reads text or ends lines shows.
fn bytes() -> Vec<u8> {
    (0..=255).chain(*b"\r\n\n").collect()
}

fn taking_everything() -> Fake {
    gateway(|request| if request.method == "PUT" { ok(&meta(&request.query["key"], 1)) } else { None })
}

/// Media type and body of the last request.
fn last(server: &Fake) -> (String, Vec<u8>) {
    let state = server.state();
    let request = state.requests.last().unwrap();
    (request.headers["content-type"].clone(), request.raw.clone())
}

#[test]
fn a_value_goes_up_as_it_is_and_says_what_it_is() {
    let server = taking_everything();
    let home = Home::logged_in(&server);
    home.write("file", &bytes());
    let (text, octets) = ("text/plain; charset=utf-8", "application/octet-stream");
    home.run(&["kv", "put", "../a b", "-7"]).expect(0);
    assert_eq!(last(&server), (text.into(), b"-7".to_vec()));
    assert_eq!(server.state().requests.last().unwrap().query["key"], "../a b");
    home.run_with(&["kv", "put", "k", "-"], &bytes(), &[]).expect(0);
    assert_eq!(last(&server), (octets.into(), bytes()));
    home.run(&["kv", "put", "k", "@file"]).expect(0);
    assert_eq!(last(&server), (octets.into(), bytes()));
    home.run(&["kv", "put", "k", "@file", "--type", "image/png"]).expect(0);
    assert_eq!(last(&server), ("image/png".into(), bytes()));
    home.run_with(&["kv", "put", "k", "-", "--type", "json"], b"{\"a\": 1.50}\n", &[]).expect(0);
    assert_eq!(last(&server), ("application/json".into(), b"{\"a\": 1.50}\n".to_vec()));
}

#[test]
fn what_cannot_be_stored_is_refused_before_any_request() {
    let server = taking_everything();
    let home = Home::logged_in(&server);
    let refused = home.run_with(&["kv", "put", "k", "-", "--type", "json"], b"findable{", &[]).expect(2);
    assert!(!refused.stderr.contains("findable"), "{}", refused.stderr);
    for arguments in [
        &["kv", "put", "k"][..],
        &["kv", "put", "k", "@missing"],
        &["kv", "put", "k", "v", "--type", "jsn"],
        &["kv", "put", "k", "v", "--expires", "yesterday"],
        &["kv", "put", "k", "v", "--if-absent", "--if-revision", "1"],
        &["kv", "put", "k", "v", "--owner", "bob"],
    ] {
        home.run(arguments).expect(2);
    }
    assert_eq!(server.count(VALUE), 0);
}

#[test]
fn conditions_switches_and_the_owner_go_along() {
    let server = taking_everything();
    let home = Home::logged_in(&server);
    let query = |arguments: &[&str]| {
        home.run(&[&["kv", "put", "k", "v"], arguments].concat()).expect(0);
        server.state().requests.last().unwrap().query.clone()
    };
    let plain = query(&[]);
    assert_eq!([&plain["encrypt"], &plain["compress"], &plain["if_absent"]], ["true", "true", "false"]);
    assert!(!plain.contains_key("owner") && !plain.contains_key("if_revision"));
    let absent = query(&["--if-absent", "--no-compress", "--no-encrypt", "--expires", "7d"]);
    assert_eq!([&absent["encrypt"], &absent["compress"], &absent["if_absent"]], ["false", "false", "true"]);
    assert!(absent["expires_at"].ends_with('Z'));
    let of_bob = query(&["--if-revision", "7", "--owner", "Bob@example.com"]);
    assert_eq!([&of_bob["if_revision"], &of_bob["owner"]], ["7", "bob@example.com"]);
}

#[test]
fn a_value_comes_out_byte_by_byte() {
    let server = gateway(|request| {
        let version = request.query.get("version").map_or("0", String::as_str);
        let body = if version == "3" { b"{\"a\":1.50}".to_vec() } else { bytes() };
        let kind = if version == "3" { "application/json" } else { "image/png" };
        (request.path == VALUE).then(|| Response::Answer(200, vec![("content-type", kind.into())], body))
    });
    let home = Home::logged_in(&server);
    assert_eq!(home.run(&["kv", "get", "k"]).expect(0).stdout, bytes());
    assert_eq!(home.run(&["kv", "get", "k", "--version", "3"]).expect(0).text(), "{\"a\":1.50}");
    let shown = home.run(&["--json", "kv", "get", "k", "--version", "3"]).expect(0);
    assert_eq!(
        shown.text().trim_end(),
        "{\"key\":\"k\",\"content_type\":\"application/json\",\"size_bytes\":10,\"value\":{\"a\":1.50}}"
    );
    assert!(home.run(&["--json", "kv", "get", "k"]).expect(0).json()["base64"].is_string());

    assert!(home.run(&["kv", "get", "k", "-o", "out"]).expect(0).text().starts_with("Wrote out"));
    assert_eq!(fs::read(home.path("out")).unwrap(), bytes());
    let asked = server.count(VALUE);
    home.run(&["kv", "get", "k", "-o", "out"]).expect(6);
    assert_eq!(server.count(VALUE), asked, "nothing is fetched for a file that stays");
    home.run(&["kv", "get", "k", "-o", "out", "--force", "--version", "3"]).expect(0);
    assert_eq!(fs::read(home.path("out")).unwrap(), b"{\"a\":1.50}");
}

#[test]
fn removing_for_good_also_empties_the_trash_of_a_key_that_was_deleted_before() {
    let server = gateway(|request| match (request.method.as_str(), request.path.as_str()) {
        ("DELETE", VALUE) if request.query["key"] == "gone" => {
            Some(crate::fake::problem(coffer_api::ErrorCode::KeyNotFound))
        }
        ("DELETE", _) => ok(&json!({ "key": request.query["key"], "revision": 9, "version": 1 })),
        _ => None,
    });
    let home = Home::logged_in(&server);
    let purged = || server.count("/api/v1/kv/trash");
    home.run(&["kv", "rm", "k"]).expect(0);
    home.run(&["kv", "rm", "gone"]).expect(5);
    assert_eq!(purged(), 0);
    for key in ["k", "gone"] {
        home.run(&["kv", "rm", key, "--purge"]).expect(0);
    }
    assert_eq!(purged(), 2);
    home.run(&["kv", "rm", "k", "--purge", "--owner", "bob@example.com"]).expect(2);
}
