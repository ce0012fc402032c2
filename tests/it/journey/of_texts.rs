//! Configurations out of one place and into another by the command line: exported, looked at, imported, and in every
//! format what they were.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use coffer_tests::{Cli, Run, Stack};
use serde_json::{Value, json};

const NOT_FOUND: i32 = 5;
const EXISTS: i32 = 6;
const USAGE: i32 = 2;

/// What every format has to bring back: key, category and value.
const VALUES: [(&str, Option<&str>, &str); 6] = [
    ("host", Some("db"), "\"localhost\""),
    ("pool/max", Some("db"), "1.50"),
    ("large", None, "12345678901234567890.10"),
    ("limits", None, "{\"cpu\": 2.50, \"none\": null, \"list\": [1, \"x\\ny\"]}"),
    ("text", None, "\"it's $x \\\"q\\\"\\n# no: comment\""),
    ("refers", None, "\"${ref:host}:$${x}\""),
];

struct Holder(Cli);

impl Holder {
    fn new(stack: &Stack, home: &str) -> Self {
        let mut cli = stack.cli(home);
        cli.set("COFFER_USER_KEY", &format!("planted user key of {home}"));
        Self(cli)
    }

    async fn run(&self, arguments: &[&str], input: &[u8]) -> Run {
        self.0.run(&[&["config"], arguments].concat(), input).await
    }

    async fn text(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.run(arguments, b"").await.ok().stdout).expect("text")
    }

    async fn json(&self, arguments: &[&str], input: &[u8]) -> Value {
        let run = self.run(&[&["--json"], arguments].concat(), input).await.ok();
        serde_json::from_slice(&run.stdout).expect("one JSON document")
    }

    async fn set(&self, key: &str, category: Option<&str>, value: &str) {
        let category = category.map_or_else(Vec::new, |category| vec!["-c", category]);
        let set = ["set", key, "-", "--type", "json", "-e", "staging"];
        self.run(&[&set[..], &category].concat(), value.as_bytes()).await.ok();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.home.join(name)).expect("the file is there")
    }

    /// Whether everything is here as ann has it. Numbers are looked at as they are written.
    async fn has_everything(&self) {
        for (key, category, value) in VALUES {
            let got = self.text(&["get", key, "-e", "staging"]).await;
            let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
            assert!(
                got == value || (parsed(&got) == parsed(value) && !key.starts_with("large")),
                "{key}: {got}"
            );
            let listed = self.json(&["ls", key, "-e", "staging"], b"").await;
            assert_eq!(listed["items"][0]["category"].as_str(), category, "{key}");
        }
    }
}

async fn ann(stack: &Stack) -> Holder {
    let ann = Holder::new(stack, "ann");
    for (key, category, value) in VALUES {
        ann.set(key, category, value).await;
    }
    ann
}

async fn walk(stack: Stack) {
    let ann = ann(&stack).await;
    for (format, name) in [("json", "a.json"), ("yaml", "a.yml"), ("toml", "a.toml"), ("env", ".env.staging")]
    {
        let said = ann.text(&["export", "-e", "staging", "-o", name]).await;
        assert!(said.contains("plain") && !said.contains("localhost"), "{said}");
        let mode = fs::metadata(ann.0.home.join(name)).expect("the file is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        let text = ann.text(&["export", "-e", "staging", "--format", format]).await;
        assert_eq!(ann.read(name), text, "{name}");
        assert_eq!(ann.run(&["export", "-e", "staging", "-o", name], b"").await.code, EXISTS);

        let bob = Holder::new(&stack, &format!("bob-{format}"));
        fs::copy(ann.0.home.join(name), bob.0.home.join(name)).expect("the file can be copied");
        let dry = bob.json(&["import", name, "--dry-run"], b"").await;
        assert_eq!(
            (&dry["created"], &dry["dry_run"], &dry["same_deployment"]),
            (&json!(6), &json!(true), &json!(true))
        );
        assert_eq!(bob.json(&["ls"], b"").await, json!({ "items": [] }), "nothing was done");
        let done = bob.text(&["import", name]).await;
        assert!(done.starts_with("Created 6, changed 0 and left 0 in staging\n"), "{done}");
        bob.has_everything().await;
        // As a pipe, to an environment of another name.
        let piped = bob.json(&["import", "-", "--format", format, "-e", "copy"], text.as_bytes()).await;
        assert_eq!((&piped["environment"], &piped["created"]), (&json!("copy"), &json!(6)));
    }
    assert!(!stack.logs().contains("planted"), "no user key is in a log");
}

#[tokio::test]
async fn what_is_exported_by_command_line_is_imported_in_every_format_in_one_process() {
    walk(Stack::all().start().await).await;
}

#[tokio::test]
async fn what_is_exported_by_command_line_is_imported_in_every_format_over_redis() {
    walk(Stack::separate().gateways(1).start().await).await;
}

#[tokio::test]
async fn what_is_there_already_stays_unless_it_is_to_be_overwritten() {
    let stack = Stack::all().start().await;
    let ann = ann(&stack).await;
    ann.text(&["export", "-e", "staging", "-o", "a.json"]).await;
    ann.set("host", Some("db"), "\"elsewhere\"").await;
    let version =
        async || ann.json(&["ls", "host", "-e", "staging"], b"").await["items"][0]["version"].clone();
    let run = ann.run(&["import", "a.json"], b"").await.ok();
    assert!(String::from_utf8_lossy(&run.stdout).starts_with("Created 0, changed 0 and left 6 in staging\n"));
    assert!(run.stderr.contains("--overwrite"), "{}", run.stderr);
    assert_eq!(ann.text(&["get", "host", "-e", "staging"]).await, "\"elsewhere\"");
    let dry = ann.text(&["import", "a.json", "--overwrite", "--dry-run"]).await;
    assert!(dry.starts_with("Would create 0, change 1 and leave 5 in staging: nothing was done\n"), "{dry}");
    assert_eq!(version().await, 2);
    let done = ann.json(&["import", "a.json", "--overwrite"], b"").await;
    assert_eq!((&done["changed"], &done["left"]), (&json!(1), &json!(5)));
    assert_eq!(
        (version().await, ann.text(&["get", "host", "-e", "staging"]).await.as_str()),
        (json!(3), "\"localhost\"")
    );
}

#[tokio::test]
async fn what_cannot_be_exported_or_imported_is_named_and_changes_nothing() {
    let stack = Stack::all().start().await;
    let ann = ann(&stack).await;
    ann.set("db-host", None, "1").await;
    let collide = ann.run(&["export", "-e", "staging", "-o", "a.env"], b"").await;
    assert!(collide.stderr.contains("DB_HOST") && collide.stderr.contains("db-host"), "{collide:?}");
    assert_eq!((collide.code, ann.0.home.join("a.env").exists()), (USAGE, false));
    let nothing = ann.run(&["export", "-e", "stagin", "-o", "a.json"], b"").await;
    assert_eq!((nothing.code, ann.0.home.join("a.json").exists()), (NOT_FOUND, false));
    let stranger = Holder::new(&stack, "mistyped").run(&["export", "-e", "staging"], b"").await;
    assert_eq!((stranger.code, stranger.stdout.len()), (NOT_FOUND, 0), "a wrong user key is no empty backup");
    for (format, text, said) in [
        ("yaml", "coffer_configs: 1\nconfigs: [findable]\n", "line 2"),
        ("json", "{\"coffer_configs\":1,\"configs\":{\"a\":{\"value\":1},\"b\":{}}}", "'b'"),
        ("env", "A='findable\n", "line 1"),
    ] {
        let refused = ann.run(&["import", "-", "--format", format, "-e", "new"], text.as_bytes()).await;
        assert!(refused.stderr.starts_with("error: -: ") && refused.stderr.contains(said), "{refused:?}");
        assert!(refused.code == USAGE && !refused.stderr.contains("findable"), "{refused:?}");
    }
    assert_eq!(ann.json(&["ls", "-e", "new"], b"").await, json!({ "items": [] }), "nothing of it is there");
}
