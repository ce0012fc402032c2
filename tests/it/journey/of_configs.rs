//! Configurations by the command line, with a user key and nothing else: stored, looked back at, promoted, and moved to
//! another user key.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use coffer_tests::{Cli, Stack};
use serde_json::{Value, json};

const REFUSED: i32 = 4;
const NOT_LOGGED_IN: i32 = 3;
const NOT_FOUND: i32 = 5;
const EXISTS: i32 = 6;
const USAGE: i32 = 2;

/// Somebody with the user key in a file of their own.
struct Holder {
    cli: Cli,
    key: &'static str,
}

impl Holder {
    fn new(stack: &Stack, home: &str, user_key: &str) -> Self {
        let holder = Self { cli: stack.cli(home), key: "key" };
        holder.write("key", user_key);
        holder
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.cli.home.join(name);
        fs::write(&path, text).expect("the file can be written");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("its mode can be set");
    }

    async fn run(&self, arguments: &[&str], input: &[u8]) -> coffer_tests::Run {
        self.cli.run(&[&["config", "--user-key-file", self.key], arguments].concat(), input).await
    }

    async fn text(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.run(arguments, b"").await.ok().stdout).expect("text")
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.text(&[&["--json"], arguments].concat()).await).expect("one JSON document")
    }

    async fn code(&self, arguments: &[&str]) -> i32 {
        self.run(arguments, b"").await.code
    }
}

async fn values_are_kept_with_their_past(ann: &Holder) {
    ann.run(&["set", "db/password", "-", "-e", "staging", "-c", "db"], b"s3cret \"q\"\n").await.ok();
    assert_eq!(ann.text(&["get", "db/password", "--raw"]).await, "s3cret \"q\"\n");
    for n in 1..=3 {
        let value = format!("{{\"n\": {n}.50}}");
        ann.run(&["set", "pool", "-", "-e", "staging", "--type", "json"], value.as_bytes()).await.ok();
    }
    assert_eq!(ann.text(&["get", "pool"]).await, "{\"n\": 3.50}");
    assert_eq!(ann.text(&["get", "pool", "--version", "1"]).await, "{\"n\": 1.50}");
    assert_eq!(ann.json(&["history", "pool"]).await["items"].as_array().map(Vec::len), Some(3));
    let diff = ann.text(&["diff", "pool"]).await;
    assert_eq!(diff, "pool: version 2 to version 3\n~ /n: 2.50 -> 3.50\n");
    assert_eq!(ann.code(&["set", "pool", "1", "-e", "staging", "--if-version", "2"]).await, EXISTS);
    assert_eq!(ann.code(&["set", "pool", "1", "-e", "staging", "--if-absent"]).await, EXISTS);
    ann.run(&["rollback", "pool", "1", "--if-version", "3"], b"").await.ok();
    assert_eq!(ann.text(&["get", "pool"]).await, "{\"n\": 1.50}");
    assert_eq!(ann.code(&["get", "pool", "--version", "9"]).await, NOT_FOUND);
}

async fn environments_are_promoted(ann: &Holder) {
    let promote = ["promote", "pool", "db/password", "--from", "staging", "--to", "production"];
    ann.run(&promote, b"").await.ok();
    assert_eq!(ann.code(&["get", "pool"]).await, USAGE, "it is in two environments now");
    assert_eq!(ann.text(&["get", "pool", "-e", "production"]).await, "{\"n\": 1.50}");
    ann.run(&["set", "pool", "7", "-e", "staging", "--type", "json"], b"").await.ok();
    let diff = ann.text(&["diff", "pool", "-e", "staging", "--to-env", "production"]).await;
    assert!(
        diff.starts_with("pool: current version in staging to current version in production\n~ "),
        "{diff}"
    );
    assert_eq!(ann.code(&promote).await, EXISTS);
    ann.run(&[&promote[..], &["--overwrite"]].concat(), b"").await.ok();
    assert_eq!(ann.text(&["get", "pool", "-e", "production"]).await, "7");
    let listed = ann.json(&["ls", "-e", "production"]).await;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(ann.json(&["ls", "db/", "-c", "db"]).await["items"].as_array().map(Vec::len), Some(2));
    let table = ann.text(&["ls"]).await;
    assert!(table.starts_with("ENVIRONMENT  CATEGORY  VERSION") && !table.contains("s3cret"), "{table}");
    ann.run(&["rm", "pool", "-e", "production"], b"").await.ok();
    assert_eq!(ann.code(&["rm", "pool", "-e", "production"]).await, NOT_FOUND);
}

async fn another_user_key_finds_nothing_until_everything_moves_to_it(stack: &Stack, ann: &Holder) {
    let bob = Holder::new(stack, "bob", "the user key of bob\n");
    assert_eq!(bob.json(&["ls"]).await, json!({ "items": [] }));
    assert_eq!(bob.code(&["get", "db/password", "-e", "staging"]).await, NOT_FOUND);
    ann.write("new", "the next user key of ann\n");
    ann.run(&["rekey", "--new-user-key-file", "new"], b"").await.ok();
    assert_eq!(ann.json(&["ls"]).await, json!({ "items": [] }));
    let moved = Holder { cli: stack.cli("ann"), key: "new" };
    assert_eq!(moved.text(&["get", "db/password", "-e", "staging", "--raw"]).await, "s3cret \"q\"\n");
    assert_eq!(bob.code(&["rekey", "--new-user-key-file", "key"]).await, USAGE, "it is the same");
}

async fn who_watches_what_is_another_user_keys_is_told_so(ann: &Holder) {
    for (since, exit, said) in
        [("abc", USAGE, "is not a position"), ("7.0102030405060708", REFUSED, "user key that opens them now")]
    {
        let refused = ann.run(&["watch", "--since", since], b"").await;
        assert_eq!(refused.code, exit, "{refused:?}");
        assert!(refused.stderr.contains("error: configurations: "), "{refused:?}");
        assert!(refused.stderr.contains(said) && !refused.stderr.contains("owner"), "{refused:?}");
    }
}

async fn walk(stack: Stack) {
    let ann = Holder::new(&stack, "ann", "the user key of ann\n");
    values_are_kept_with_their_past(&ann).await;
    environments_are_promoted(&ann).await;
    who_watches_what_is_another_user_keys_is_told_so(&ann).await;
    another_user_key_finds_nothing_until_everything_moves_to_it(&stack, &ann).await;
    assert!(!stack.logs().contains("user key of"), "no user key is in a log");
}

#[tokio::test]
async fn the_journey_of_configurations_by_command_line_in_one_process() {
    walk(Stack::all().start().await).await;
}

#[tokio::test]
async fn the_journey_of_configurations_by_command_line_over_redis() {
    walk(Stack::separate().gateways(1).start().await).await;
}

#[tokio::test]
async fn a_deployment_may_ask_for_an_api_key_besides() {
    let stack = Stack::all()
        .set("COFFER_GATEWAY__CONFIGS__ACCESS", "api_key")
        .set("COFFER_GATEWAY__CONFIGS__API_KEYS", "an-api-key-of-the-house")
        .start()
        .await;
    let ann = Holder::new(&stack, "ann", "the user key of ann\n");
    assert_eq!(ann.code(&["ls"]).await, REFUSED);
    ann.write("api", "an-api-key-of-the-house\n");
    assert_eq!(ann.json(&["--api-key-file", "api", "ls"]).await, json!({ "items": [] }));
}

#[tokio::test]
async fn a_deployment_may_ask_for_a_session_besides() {
    let stack = Stack::all().set("COFFER_GATEWAY__CONFIGS__ACCESS", "session").start().await;
    let holder = Holder::new(&stack, "ann", "the user key of ann\n");
    let said = holder.run(&["ls"], b"").await;
    assert!(said.code == NOT_LOGGED_IN && said.stderr.contains("coffer login"), "{said:?}");
    let email = stack.keeper("ann").await.email;
    holder.write("password", "pass-ann-phrase\n");
    let seen = stack.mailbox.messages(&email).await.len();
    holder.cli.run(&["login", &email, "--password-file", "password"], b"").await;
    let code = stack.mailbox.code_after(&email, seen).await;
    holder.cli.run(&["login", &email, "--code", &code], b"").await.ok();
    assert_eq!(holder.json(&["ls"]).await, json!({ "items": [] }));
}
