//! Refusals, sharing, and who may see a session.

use coffer_api::ErrorCode;
use serde_json::json;

use super::{gateway, meta, ok};
use crate::fake::{Fake, problem};
use crate::run::Home;

#[test]
fn every_refusal_of_a_key_has_its_exit_code_and_says_what_to_do() {
    for (code, exit, hint) in [
        (ErrorCode::KeyNotFound, 5, "coffer kv ls --trash"),
        (ErrorCode::VersionNotFound, 5, "coffer kv history"),
        (ErrorCode::RevisionMismatch, 6, "coffer kv inspect"),
        (ErrorCode::AccessDenied, 4, "ask the owner"),
        (ErrorCode::PermissionDenied, 4, "--write"),
        (ErrorCode::BodyTooLarge, 2, "coffer put"),
        (ErrorCode::InvalidSession, 3, "coffer login"),
        (ErrorCode::Unavailable, 7, ""),
        (ErrorCode::LimitReached, 4, ""),
    ] {
        let server = gateway(move |_| Some(problem(code)));
        let home = Home::logged_in(&server);
        for arguments in
            [&["kv", "get", "a\u{1b}"][..], &["kv", "put", "a\u{1b}", "v"], &["kv", "inspect", "a\u{1b}"]]
        {
            let refused = home.run(arguments).expect(exit);
            assert!(refused.stdout.is_empty());
            assert!(refused.stderr.starts_with("error: a\\u{1b}: "), "{}", refused.stderr);
            assert!(refused.stderr.contains(hint), "{}", refused.stderr);
        }
    }
}

#[test]
fn keys_are_shared_by_key_or_prefix_with_an_address_or_a_role() {
    let server = gateway(|request| {
        let mut grant = request.body.clone();
        if request.path == "/api/v1/kv/grants" {
            grant["granted_at"] = "2026-01-01T00:00:00Z".into();
            return ok(&grant);
        }
        request.path.ends_with("revoke").then(|| problem(ErrorCode::GrantNotFound))
    });
    let home = Home::logged_in(&server);
    for (arguments, expected) in [
        (
            &["k", "--with", "bob@example.com"][..],
            json!({ "key": "k", "email": "bob@example.com", "permission": "read" }),
        ),
        (
            &["k/", "--with", "role:employee", "--write"],
            json!({ "prefix": "k/", "role": "employee", "permission": "write" }),
        ),
        (
            &["k/", "--exact", "--with", "bob@example.com"],
            json!({ "key": "k/", "email": "bob@example.com", "permission": "read" }),
        ),
        (
            &["", "--prefix", "--with", "bob@example.com"],
            json!({ "prefix": "", "email": "bob@example.com", "permission": "read" }),
        ),
    ] {
        home.run(&[&["kv", "share"], arguments].concat()).expect(0);
        assert_eq!(server.state().requests.last().unwrap().body, expected);
    }
    let text =
        home.run(&["kv", "share", "k/", "--with", "role:employee", "--write", "--expires", "2w"]).expect(0);
    assert!(text.text().starts_with("every employee may read and change k/* until 2"), "{}", text.text());
    let unknown = home.run(&["kv", "unshare", "k/", "--with", "bob@example.com"]).expect(5);
    assert!(unknown.stderr.contains("coffer kv shared --given"), "{}", unknown.stderr);
    assert_eq!(
        server.state().requests.last().unwrap().body,
        json!({ "prefix": "k/", "email": "bob@example.com" })
    );
    for nobody in ["bob", "role:boss", ""] {
        home.run(&["kv", "share", "k", "--with", nobody]).expect(2);
    }
}

#[test]
fn what_is_shared_is_shown_by_owner_and_what_is_given_by_grantee() {
    let server = gateway(|request| {
        let owner = "0190163d-8694-739b-aea5-966c26f8ad91";
        let granted = json!({ "permission": "write", "granted_at": "2026-01-01T00:00:00Z" });
        let with = |mut one: serde_json::Value| {
            one.as_object_mut().unwrap().extend(granted.as_object().unwrap().clone());
            json!({ "items": [one] })
        };
        match request.path.as_str() {
            "/api/v1/kv/shared" => {
                ok(&with(json!({ "owner": owner, "owner_email": "bob@example.com", "prefix": "t/" })))
            }
            "/api/v1/kv/grants" => ok(&with(json!({ "key": "k", "role": "admin" }))),
            _ => None,
        }
    });
    let home = Home::logged_in(&server);
    assert!(home.run(&["kv", "shared"]).expect(0).text().ends_with("write   -      bob@example.com  t/*\n"));
    assert!(
        home.run(&["kv", "shared", "--given"]).expect(0).text().ends_with("write   -      every admin  k\n")
    );
}

#[test]
fn a_session_goes_to_no_other_gateway() {
    let (server, other) = (gateway(|_| ok(&meta("k", 1))), Fake::start());
    let home = Home::logged_in(&server);
    home.run(&["kv", "inspect", "k", "--gateway", &other.url]).expect(3);
    let refused = home.run_with(&["stats"], b"", &[("COFFER_GATEWAY_URL", &other.url)]).expect(3);
    assert!(refused.stderr.contains("--gateway"), "{}", refused.stderr);
    assert!(other.state().requests.is_empty());
    // Nor does it need the address again.
    home.without_addresses().run(&["kv", "put", "k", "v"]).expect(0);
}
