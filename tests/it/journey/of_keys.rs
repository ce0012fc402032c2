//! Keys and values by the command line: one person stores, looks back and restores; another is let in, reads, sees
//! changes as they happen, and is shut out again.

use std::time::Duration;

use coffer_tests::{Cli, Running, Stack, run, until};
use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::by_cli::ByCli;
use super::{Person as _, join};

const REFUSED: i32 = 4;
const NOT_FOUND: i32 = 5;
const EXISTS: i32 = 6;
/// As long as anything may take to arrive on a busy machine.
const SOON: Duration = Duration::from_secs(20);
/// Within this time a revocation is in force, and the client has come back to learn of it.
const REVOKED_WITHIN: Duration = Duration::from_millis(2500);

async fn get(cli: &Cli, arguments: &[&str]) -> Vec<u8> {
    cli.run(&[&["kv", "get"], arguments].concat(), b"").await.ok().stdout
}

async fn json(cli: &Cli, arguments: &[&str]) -> Value {
    let run = cli.run(&[&["--json"], arguments].concat(), b"").await.ok();
    serde_json::from_slice(&run.stdout).expect("one JSON document")
}

async fn code(cli: &Cli, arguments: &[&str]) -> i32 {
    cli.run(arguments, b"").await.code
}

/// What the next line of a watch tells: what was done to which key.
async fn told(watch: &mut Running) -> (String, String) {
    let line = timeout(SOON, watch.line()).await.expect("something happens").expect("the watch goes on");
    let change: Value = serde_json::from_str(&line).expect("a line is a document");
    let field = |name: &str| change["changes"][0][name].as_str().expect("a text").to_owned();
    (field("op"), field("key"))
}

/// Bytes that are no text come back as they were, and so do empty values and JSON to the letter.
async fn values_come_back_to_the_byte(ann: &Cli) {
    let large = run("openssl", &["rand", "3000000"]).await;
    for (key, value) in [("bin", &large[..]), ("空 ../&?#", b"\xff\x00\r\n"), ("none", b"")] {
        ann.run(&["kv", "put", key, "-"], value).await.ok();
        assert!(get(ann, &[key]).await == value, "{key}");
    }
    ann.run(&["kv", "put", "j", "-", "--type", "json"], b"{\"n\": 1.50}").await.ok();
    assert_eq!(get(ann, &["j"]).await, b"{\"n\": 1.50}");
    assert_eq!(json(ann, &["kv", "get", "j"]).await["value"]["n"], 1.5);
}

async fn earlier_versions_are_kept(ann: &Cli) {
    for n in 1..=3 {
        let value = format!("{{\"n\":{n},\"same\":true}}");
        ann.run(&["kv", "put", "team/plan", "-", "--type", "json"], value.as_bytes()).await.ok();
    }
    let revision = json(ann, &["kv", "inspect", "team/plan"]).await["revision"].to_string();
    let history = json(ann, &["kv", "history", "team/plan"]).await;
    assert_eq!(history["items"].as_array().expect("a list").len(), 3);
    let diff = ann.run(&["kv", "diff", "team/plan", "1"], b"").await.ok();
    assert_eq!(String::from_utf8_lossy(&diff.stdout), "team/plan: version 1 to 3\n~ /n: 1 -> 3\n");
    ann.run(&["kv", "restore", "team/plan", "--version", "1"], b"").await.ok();
    assert_eq!(get(ann, &["team/plan"]).await, b"{\"n\":1,\"same\":true}");
    assert_eq!(get(ann, &["team/plan", "--version", "2"]).await, b"{\"n\":2,\"same\":true}");
    assert_eq!(code(ann, &["kv", "put", "team/plan", "x", "--if-revision", &revision]).await, EXISTS);
    assert_eq!(code(ann, &["kv", "put", "team/plan", "x", "--if-absent"]).await, EXISTS);
    assert_eq!(code(ann, &["kv", "get", "team/plan", "--version", "9"]).await, NOT_FOUND);

    ann.run(&["kv", "rm", "none"], b"").await.ok();
    assert_eq!(json(ann, &["kv", "ls", "--trash"]).await["items"][0]["key"], "none");
    ann.run(&["kv", "restore", "none"], b"").await.ok();
    ann.run(&["kv", "rm", "none", "--purge"], b"").await.ok();
    assert_eq!(code(ann, &["kv", "restore", "none"]).await, NOT_FOUND);
}

async fn a_friend_reads_watches_and_is_shut_out(ann: &Cli, ben: &Cli) {
    let of_ann = ["--owner", "ann@example.com"];
    let reads = async || code(ben, &["kv", "get", "team/plan", "--owner", "ann@example.com"]).await;
    assert_eq!(reads().await, REFUSED);
    ann.run(&["kv", "share", "team/", "--with", "ben@example.com"], b"").await.ok();
    until("ben reads", SOON, || async { reads().await == 0 }).await;
    assert_eq!(get(ben, &[&["team/plan"], &of_ann[..]].concat()).await, b"{\"n\":1,\"same\":true}");
    assert_eq!(json(ben, &["kv", "shared"]).await["items"][0]["owner_email"], "ann@example.com");
    assert_eq!(code(ben, &[&["kv", "put", "team/plan", "x"], &of_ann[..]].concat()).await, REFUSED);
    assert_eq!(code(ben, &[&["kv", "get", "j"], &of_ann[..]].concat()).await, REFUSED);

    let history = json(ben, &[&["kv", "history", "team/plan"], &of_ann[..]].concat()).await;
    let since = history["items"][0]["revision"].to_string();
    ann.run(&["kv", "put", "team/before", "x"], b"").await.ok();
    let watching = [&["--json", "kv", "watch", "team/", "--since", &since], &of_ann[..]].concat();
    let mut watch = ben.start(&watching);
    assert_eq!(told(&mut watch).await, ("put".into(), "team/before".into()));
    ann.run(&["kv", "put", "elsewhere", "x"], b"").await.ok();
    ann.run(&["kv", "rm", "team/before"], b"").await.ok();
    assert_eq!(told(&mut watch).await, ("delete".into(), "team/before".into()));

    let revoked = Instant::now();
    ann.run(&["kv", "unshare", "team/", "--with", "ben@example.com"], b"").await.ok();
    let ended = timeout(SOON, watch.end()).await.expect("the watch ends");
    assert!(ended.code == REFUSED && ended.stdout.is_empty(), "{ended:?}");
    assert!(revoked.elapsed() < REVOKED_WITHIN, "{:?}", revoked.elapsed());
    assert_eq!(reads().await, REFUSED);
}

async fn figures_show_it(ann: &Cli) {
    until("the figures are written", SOON, || async {
        let use_of_plan = &json(ann, &["kv", "inspect", "team/plan"]).await["use"];
        // Ann's two reads by `get` and Ben's; three values and the restored one.
        use_of_plan["writes"] == 4 && use_of_plan["reads"].as_u64() >= Some(3)
    })
    .await;
    let figures = json(ann, &["stats"]).await;
    assert!(
        figures["top"].as_array().expect("a list").iter().any(|one| one["key"] == "team/plan"),
        "{figures}"
    );
    assert_eq!(figures["totals"]["keys"], 5, "{figures}");
    let text = ann.run(&["stats"], b"").await.ok();
    assert!(String::from_utf8_lossy(&text.stdout).contains("team/plan"), "{text:?}");
    assert_eq!(code(ann, &["stats", "--all"]).await, REFUSED);
}

async fn walk(stack: Stack) {
    let (mut ann, mut ben) = (ByCli::new(&stack, "ann"), ByCli::new(&stack, "ben"));
    join(&stack, &mut ann).await;
    join(&stack, &mut ben).await;
    assert_eq!(ben.email(), "ben@example.com");
    values_come_back_to_the_byte(&ann.cli).await;
    earlier_versions_are_kept(&ann.cli).await;
    a_friend_reads_watches_and_is_shut_out(&ann.cli, &ben.cli).await;
    figures_show_it(&ann.cli).await;
}

#[tokio::test]
async fn the_journey_of_keys_by_command_line_in_one_process() {
    walk(Stack::all().start().await).await;
}

#[tokio::test]
async fn the_journey_of_keys_by_command_line_over_redis() {
    walk(Stack::separate().gateways(1).start().await).await;
}
