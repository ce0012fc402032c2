//! `coffer config export` and `import`: what is asked of the gateway, and what becomes of files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use coffer_api::ErrorCode;
use serde_json::{Value, json};

use super::{WITH_KEY, gateway};
use crate::fake::{Fake, Response, problem};
use crate::run::{Ended, Home};

const EXPORT: &str = "/api/v1/configs/export";
const IMPORT: &str = "/api/v1/configs/import";
const ITEMS: &str = "/api/v1/configs/items";

/// A gateway with one configuration in every environment but one.
fn exporting(text: &'static str) -> Fake {
    gateway(move |request| match request.path.as_str() {
        ITEMS if request.query["environment"] == "empty" => {
            Some(Response::json(200, &json!({ "items": [] })))
        }
        ITEMS => Some(Response::json(200, &json!({ "items": [meta()] }))),
        EXPORT if request.query["environment"] == "broken" => {
            Some(Response::BreakOff(Vec::new(), text.into()))
        }
        EXPORT => Some(Response::Answer(200, Vec::new(), text.into())),
        _ => None,
    })
}

/// What is known of a configuration `k`.
fn meta() -> Value {
    let at = "2026-01-01T00:00:00Z";
    json!({ "id": 1, "key": "k", "environment": "e", "version": 1, "size_bytes": 1, "created_at": at, "updated_at": at })
}

fn importing() -> Fake {
    gateway(|request| {
        let item = json!({ "key": "k\u{1b}", "outcome": "left", "version": 3 });
        let text = |name: &str| request.query.get(name).cloned();
        let imported = json!({
            "environment": text("environment").unwrap_or_else(|| "default".into()), "dry_run": request.query["dry_run"] == "true",
            "same_deployment": false, "created": 0, "changed": 0, "left": 1, "items": [item]
        });
        (request.path == IMPORT).then(|| Response::json(200, &imported))
    })
}

fn run(home: &Home, arguments: &[&str], input: &[u8]) -> Ended {
    home.run_with(&[&["config"], arguments].concat(), input, &WITH_KEY)
}

/// What the last request asked for.
fn asked(server: &Fake, name: &str) -> Option<String> {
    server.state().requests.last().unwrap().query.get(name).cloned()
}

#[test]
fn an_export_goes_to_standard_output_as_it_is_or_into_a_private_file() {
    let server = exporting("findable: 1\n");
    let home = Home::new(&server);
    assert_eq!(run(&home, &["export"], b"").expect(0).text(), "findable: 1\n");
    assert_eq!(asked(&server, "environment").as_deref(), Some("default"));
    assert_eq!(asked(&server, "format").as_deref(), Some("json"));
    assert_eq!(run(&home, &["export", "-o", "-", "--format", "env"], b"").expect(0).text(), "findable: 1\n");
    assert_eq!(asked(&server, "format").as_deref(), Some("env"));
    let said = run(&home, &["export", "-e", "staging", "-o", "s.yml"], b"").expect(0);
    assert!(said.text().contains("plain") && !said.text().contains("findable"), "{}", said.text());
    assert_eq!(asked(&server, "format").as_deref(), Some("yaml"));
    assert_eq!(asked(&server, "environment").as_deref(), Some("staging"));
    assert_eq!(fs::read(home.path("s.yml")).unwrap(), b"findable: 1\n");
    assert_eq!(fs::metadata(home.path("s.yml")).unwrap().permissions().mode() & 0o777, 0o600);
    run(&home, &["export", "-o", "s.yml", "--format", "toml", "--force"], b"").expect(0);
    assert_eq!(asked(&server, "format").as_deref(), Some("toml"));
    let document =
        json!({ "environment": "default", "format": "json", "size_bytes": 12, "text": "findable: 1\n" });
    assert_eq!(run(&home, &["export", "--json"], b"").expect(0).json(), document);
    let document = json!({ "environment": "default", "format": "toml", "size_bytes": 12, "path": "a.toml" });
    assert_eq!(run(&home, &["export", "--json", "-o", "a.toml"], b"").expect(0).json(), document);
}

#[test]
fn an_export_that_fails_leaves_every_file_as_it_was_and_no_other() {
    let server = exporting("findable: 1\n");
    let home = Home::new(&server);
    home.write("old.json", b"before");
    let before = home.entries();
    run(&home, &["export", "-o", "old.json"], b"").expect(6);
    run(&home, &["export", "-o", "none/a.json"], b"").expect(2);
    assert!(server.state().requests.is_empty(), "what cannot be written is not asked for");
    let nothing = run(&home, &["export", "-e", "empty", "-o", "old.json", "--force"], b"").expect(5);
    assert!(nothing.stderr.contains("another user key"), "{}", nothing.stderr);
    assert!(run(&home, &["export", "-e", "empty"], b"").expect(5).stdout.is_empty());
    run(&home, &["export", "-e", "broken", "-o", "old.json", "--force"], b"").expect(7);
    assert!(run(&home, &["export", "-e", "broken"], b"").expect(7).stdout.is_empty());
    assert_eq!(fs::read(home.path("old.json")).unwrap(), b"before");
    assert_eq!(home.entries(), before);
}

#[test]
fn an_import_sends_the_text_as_it_is_in_the_format_that_is_said_or_that_the_name_says() {
    let server = importing();
    let home = Home::new(&server);
    home.write("a.toml", b"\xef\xbb\xbfa = 1\n\n");
    run(&home, &["import", "a.toml"], b"").expect(0);
    assert_eq!(server.state().requests.last().unwrap().raw, b"\xef\xbb\xbfa = 1\n\n");
    let query = |name| asked(&server, name);
    let expected = [
        ("format", Some("toml")),
        ("mode", Some("create_only")),
        ("dry_run", Some("false")),
        ("environment", None),
    ];
    for (name, value) in expected {
        assert_eq!(query(name).as_deref(), value, "{name}");
    }
    run(&home, &["import", "-", "-e", "e", "--overwrite", "--dry-run"], b"{}").expect(0);
    let expected = [("format", "json"), ("mode", "overwrite"), ("dry_run", "true"), ("environment", "e")];
    for (name, value) in expected {
        assert_eq!(query(name).as_deref(), Some(value), "{name}");
    }
    run(&home, &["import", "a.toml", "--format", "env"], b"").expect(0);
    assert_eq!(query("format").as_deref(), Some("env"));
    let before = server.state().requests.len();
    home.write("a.txt", b"A=1\n");
    assert!(run(&home, &["import", "a.txt"], b"").expect(2).stderr.contains("--format"));
    run(&home, &["import", "missing.json"], b"").expect(2);
    run(&home, &["--user-key-file", "-", "import", "-"], b"a key of some length\n").expect(2);
    assert_eq!(server.state().requests.len(), before);
}

#[test]
fn what_an_import_did_is_told_to_people_and_to_programs() {
    let server = importing();
    let home = Home::new(&server);
    let said = run(&home, &["import", "-", "-e", "e"], b"{}").expect(0);
    assert_eq!(
        said.text(),
        "Created 0, changed 0 and left 1 in e\nOUTCOME  VERSION  KEY\nleft     3        k\\u{1b}\n"
    );
    assert!(
        said.stderr.contains("another deployment") && said.stderr.contains("--overwrite"),
        "{}",
        said.stderr
    );
    let dry = run(&home, &["import", "-", "--dry-run"], b"{}").expect(0);
    assert!(dry.text().starts_with("Would create 0, change 0 and leave 1 in default: nothing was done\n"));
    let document = run(&home, &["import", "-", "--json"], b"{}").expect(0);
    assert_eq!((&document.json()["left"], document.stderr.as_str()), (&json!(1), ""));
}

#[test]
fn what_is_refused_names_the_file_and_says_what_to_do() {
    for (code, exit, hint) in [
        (ErrorCode::InvalidInput, 2, ""),
        (ErrorCode::SchemaMismatch, 2, ""),
        (ErrorCode::BodyTooLarge, 2, "http.body_bytes_max"),
        (ErrorCode::StorageFull, 4, "coffer config rm"),
    ] {
        let server = gateway(move |_| Some(problem(code)));
        let home = Home::new(&server);
        home.write("a.json", b"{}");
        let refused = run(&home, &["import", "a.json"], b"").expect(exit);
        assert!(
            refused.stdout.is_empty() && refused.stderr.starts_with("error: a.json: "),
            "{}",
            refused.stderr
        );
        assert!(refused.stderr.contains(hint), "{}", refused.stderr);
    }
    let server = gateway(|request| match request.path.as_str() {
        ITEMS => Some(Response::json(200, &json!({ "items": [meta()] }))),
        _ => Some(problem(ErrorCode::EnvNamesCollide)),
    });
    let home = Home::new(&server);
    let refused = run(&home, &["export", "-o", "a.env"], b"").expect(2);
    assert!(refused.stderr.contains("another format") && !home.path("a.env").exists(), "{}", refused.stderr);
}
