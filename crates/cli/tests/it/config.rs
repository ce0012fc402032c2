//! `coffer config`: which keys go to the gateway, what goes with them, and what is made of the answers.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use coffer_api::ErrorCode;
use serde_json::{Value, json};

mod texts;

use crate::fake::{Fake, Request, Response, TOKEN, problem};
use crate::run::Home;

const USER_KEY: &str = "findable correct horse";
const VALUE: &str = "/api/v1/configs/value";
const WITH_KEY: [(&str, &str); 1] = [("COFFER_USER_KEY", USER_KEY)];

/// A fake whose gateway answers what `answer` says.
fn gateway(answer: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static) -> Fake {
    Fake::start_with(move |request, _| {
        answer(request).filter(|_| request.path.starts_with("/api/v1/configs/"))
    })
}

fn meta(request: &Request) -> Value {
    let moment = "2026-01-01T00:00:00Z";
    let text = |name: &str| request.query.get(name).cloned();
    json!({
        "id": 1, "key": text("key"), "environment": text("environment").unwrap_or_else(|| "default".into()),
        "category": text("category"), "version": 3, "size_bytes": request.raw.len(), "created_at": moment,
        "updated_at": moment
    })
}

fn taking_everything() -> Fake {
    gateway(|request| Some(Response::json(200, &meta(request))))
}

/// A header of the last request.
fn header(server: &Fake, name: &str) -> Option<String> {
    server.state().requests.last().unwrap().headers.get(name).cloned()
}

fn key_file(home: &Home, text: &str, mode: u32) {
    home.write("key", text.as_bytes());
    fs::set_permissions(home.path("key"), Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_user_key_comes_from_a_private_file_from_standard_input_or_from_a_variable_and_is_all_that_is_needed() {
    let server = taking_everything();
    let home = Home::new(&server);
    key_file(&home, "a key from the file\n", 0o600);
    home.run(&["config", "rm", "k", "--user-key-file", "key"]).expect(0);
    assert_eq!(header(&server, "x-user-key").as_deref(), Some("a key from the file"));
    assert!(header(&server, "authorization").is_none(), "nobody has to log in");
    home.run_with(&["config", "--user-key-file", "-", "rm", "k"], b"a key from input\n", &[]).expect(0);
    assert_eq!(header(&server, "x-user-key").as_deref(), Some("a key from input"));
    home.run_with(&["config", "rm", "k"], b"", &WITH_KEY).expect(0);
    assert_eq!(header(&server, "x-user-key").as_deref(), Some(USER_KEY));
    let variables = [("COFFER_USER_KEY_FILE", "key"), ("COFFER_API_KEY", "an api key of the house")];
    home.run_with(&["config", "rm", "k"], b"", &variables).expect(0);
    assert_eq!(header(&server, "x-user-key").as_deref(), Some("a key from the file"));
    assert_eq!(header(&server, "x-api-key").as_deref(), Some("an api key of the house"));
}

#[test]
fn without_a_user_key_that_can_be_one_nothing_is_asked() {
    let server = taking_everything();
    let home = Home::new(&server);
    let said = home.run(&["config", "ls"]).expect(2);
    assert!(said.stderr.contains("COFFER_USER_KEY"), "{}", said.stderr);
    for key in ["short", "findable key at its end ", "findable\nlines"] {
        let said = home.run_with(&["config", "ls"], b"", &[("COFFER_USER_KEY", key)]).expect(2);
        assert!(!said.stderr.contains("findable"), "{}", said.stderr);
    }
    for (text, mode) in [("findable key\n", 0o644), ("findable key\n", 0o660), ("findable\nkeys\n", 0o600)] {
        key_file(&home, text, mode);
        let said = home.run(&["config", "ls", "--user-key-file", "key"]).expect(2);
        assert!(!said.stderr.contains("findable"), "{}", said.stderr);
    }
    home.run(&["config", "ls", "--user-key-file", "missing"]).expect(2);
    // Standard input cannot be both.
    home.run_with(&["config", "set", "k", "-", "--user-key-file", "-"], b"a long key\n", &[]).expect(2);
    assert!(server.state().requests.is_empty());
}

#[test]
fn a_session_goes_along_to_the_gateway_that_it_is_for_and_to_no_other() {
    let server = taking_everything();
    let home = Home::logged_in(&server);
    home.run_with(&["config", "rm", "k"], b"", &WITH_KEY).expect(0);
    assert_eq!(header(&server, "authorization"), Some(format!("Bearer {TOKEN}")));
    let other = taking_everything();
    home.run_with(&["--gateway", &other.url, "config", "rm", "k"], b"", &WITH_KEY).expect(0);
    assert!(header(&other, "authorization").is_none());
    assert_eq!(header(&other, "x-user-key").as_deref(), Some(USER_KEY));
}

#[test]
fn a_value_is_stored_as_a_string_unless_it_is_said_to_be_json() {
    let server = taking_everything();
    let home = Home::new(&server);
    let stored = |arguments: &[&str], input: &[u8]| {
        home.run_with(&[&["config", "set", "../a b"], arguments].concat(), input, &WITH_KEY).expect(0);
        let state = server.state();
        let request = state.requests.last().unwrap();
        (String::from_utf8(request.raw.clone()).unwrap(), request.query.clone())
    };
    assert_eq!(stored(&["-7"], b"").0, "\"-7\"");
    assert_eq!(stored(&["-"], b"line\n").0, "\"line\\n\"");
    let (value, query) =
        stored(&["-", "--type", "json", "-e", "e", "-c", "c", "--if-version", "2"], b"{\"n\": 1.50}");
    assert_eq!(value, "{\"n\": 1.50}");
    let named = ["key", "environment", "category", "if_version"].map(|name| query[name].as_str());
    assert_eq!(named, ["../a b", "e", "c", "2"]);
    let before = server.state().requests.len();
    for arguments in [
        &["config", "set", "k", "findable{", "--type", "json"][..],
        &["config", "set", "k"],
        &["config", "set", "k", "v", "--if-absent", "--if-version", "1"],
    ] {
        let said = home.run_with(arguments, b"", &WITH_KEY).expect(2);
        assert!(!said.stderr.contains("findable{"), "{}", said.stderr);
    }
    home.run_with(&["config", "set", "k", "-"], b"\xff", &WITH_KEY).expect(2);
    assert_eq!(server.state().requests.len(), before);
}

#[test]
fn a_value_comes_out_as_it_was_stored_or_as_the_text_that_it_is() {
    let server = gateway(|request| {
        let value = if request.query["key"] == "s" { "\"a\\u00e9\\n\"" } else { "{\"a\": 1.50}" };
        let kind = vec![("content-type", "application/json".into())];
        (request.path == VALUE).then(|| Response::Answer(200, kind, value.into()))
    });
    let home = Home::new(&server);
    let get = |arguments: &[&str]| home.run_with(&[&["config", "get"], arguments].concat(), b"", &WITH_KEY);
    assert_eq!(get(&["j"]).expect(0).text(), "{\"a\": 1.50}");
    assert_eq!(get(&["j", "--raw"]).expect(0).text(), "{\"a\": 1.50}");
    assert_eq!(get(&["s"]).expect(0).text(), "\"a\\u00e9\\n\"");
    assert_eq!(get(&["s", "--raw"]).expect(0).text(), "aé\n");
    assert_eq!(get(&["j", "--json"]).expect(0).text(), "{\"key\":\"j\",\"value\":{\"a\": 1.50}}\n");
    get(&["s", "--raw", "-o", "out"]).expect(0);
    assert_eq!(fs::read(home.path("out")).unwrap(), "aé\n".as_bytes());
    get(&["s", "-o", "out"]).expect(6);
}

#[test]
fn references_are_resolved_for_who_asks_for_that() {
    let server = gateway(|request| {
        if request.query.get("key").is_some_and(|key| key == "broken") {
            return Some(problem(ErrorCode::ReferenceUnresolved));
        }
        let value = if request.query["resolve"] == "true" { "\"b\"" } else { "\"${ref:a}\"" };
        Some(Response::Answer(200, vec![("content-type", "application/json".into())], value.into()))
    });
    let home = Home::new(&server);
    let get = |arguments: &[&str]| home.run_with(&[&["config", "get"], arguments].concat(), b"", &WITH_KEY);
    assert_eq!(get(&["k", "--raw"]).expect(0).text(), "${ref:a}");
    assert_eq!(get(&["k", "--raw", "--resolve"]).expect(0).text(), "b");
    let refused = get(&["broken", "--resolve", "-o", "out"]).expect(2);
    assert!(refused.stdout.is_empty() && refused.stderr.contains("$${ref:"), "{}", refused.stderr);
    assert!(!home.path("out").exists());
}

#[test]
fn every_refusal_has_its_exit_code_and_says_what_to_do() {
    for (code, exit, hint) in [
        (ErrorCode::ConfigNotFound, 5, "another user key"),
        (ErrorCode::VersionNotFound, 5, "coffer config history"),
        (ErrorCode::RevisionMismatch, 6, "coffer config history"),
        (ErrorCode::EnvironmentNeeded, 2, "--env"),
        (ErrorCode::SchemaMismatch, 2, ""),
        (ErrorCode::ReferenceUnresolved, 2, "${ref:"),
        (ErrorCode::InvalidApiKey, 4, "--api-key-file"),
        (ErrorCode::NotAuthenticated, 3, "coffer login"),
        (ErrorCode::RateLimited, 10, ""),
        (ErrorCode::StorageFull, 4, "coffer config rm"),
        (ErrorCode::Unavailable, 7, ""),
    ] {
        let server = gateway(move |_| Some(problem(code)));
        let home = Home::new(&server);
        for arguments in [&["get", "a\u{1b}"][..], &["set", "a\u{1b}", "v"], &["history", "a\u{1b}"]] {
            let refused = home.run_with(&[&["config"], arguments].concat(), b"", &WITH_KEY).expect(exit);
            assert!(refused.stdout.is_empty());
            assert!(refused.stderr.starts_with("error: a\\u{1b}: "), "{}", refused.stderr);
            assert!(refused.stderr.contains(hint), "{}", refused.stderr);
        }
    }
}

#[test]
fn advice_about_a_weak_user_key_is_told_where_something_is_stored_with_it() {
    let server = gateway(|request| {
        let mut answer = match request.path.as_str() {
            VALUE => meta(request),
            _ => {
                json!({ "environment": "e", "dry_run": false, "created": 0, "changed": 0, "left": 0, "items": [] })
            }
        };
        answer["key_advice"] = "it is short\u{1b}".into();
        Some(Response::json(200, &answer))
    });
    let home = Home::new(&server);
    for arguments in [&["config", "set", "k", "v"][..], &["config", "import", "-"]] {
        let said = home.run_with(arguments, b"{}", &WITH_KEY).expect(0);
        assert!(said.stderr.contains("warning: it is short\\u{1b}"), "{}", said.stderr);
        let quiet = home.run_with(&[arguments, &["--quiet"]].concat(), b"{}", &WITH_KEY).expect(0);
        assert!(quiet.stderr.is_empty(), "{}", quiet.stderr);
    }
}

#[test]
fn a_new_user_key_is_checked_before_everything_moves_and_its_advice_is_told() {
    let server = gateway(|_| Some(Response::json(200, &json!({ "key_advice": "it is short" }))));
    let home = Home::new(&server);
    let moved = |text: &str| {
        key_file(&home, text, 0o600);
        home.run_with(&["config", "rekey", "--new-user-key-file", "key"], b"", &WITH_KEY)
    };
    for bad in ["short\n", "ends with a space \n", "\n"] {
        moved(bad).expect(2);
    }
    assert!(server.state().requests.is_empty());
    let said = moved("a new user key\n").expect(0);
    assert!(said.stderr.contains("it is short"), "{}", said.stderr);
    assert_eq!(server.state().requests[0].body, json!({ "new_user_key": "a new user key" }));
    home.run_with(&["config", "rekey"], b"", &WITH_KEY).expect(2);
}
