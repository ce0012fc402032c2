//! Configurations that refer to others, as `coffer config get --resolve` and programs of `coffer run` get them.

use coffer_tests::{Cli, Stack};
use tokio::time::timeout;

use super::started::{SOON, ann, is_quiet, line, set};

const USAGE: i32 = 2;
/// A program that says what it got, and waits until it is told to end.
const WAITING: &str = "trap 'exit 3' TERM; echo \"$URL\"; while :; do sleep 0.05; done";
const WATCHING: [&str; 7] = ["run", "-e", "production", "--watch", "--", "sh", "-c"];

/// Somebody whose URL leads to a host in another environment, and from there to a name in a third.
async fn referring(stack: &Stack) -> Cli {
    let cli = ann(stack);
    set(&cli, "url", "production", "http://${ref:host@shared}:${ref:port}/$${x}").await;
    set(&cli, "port", "production", "80").await;
    set(&cli, "host", "shared", "${ref:name@third}.example.com").await;
    set(&cli, "name", "third", "one").await;
    cli
}

#[tokio::test]
async fn references_are_resolved_for_people_and_programs_or_nothing_is_given() {
    let stack = Stack::all().start().await;
    let cli = referring(&stack).await;
    let get = ["config", "get", "url", "-e", "production", "--raw"];
    assert_eq!(cli.run(&get, b"").await.ok().stdout, b"http://${ref:host@shared}:${ref:port}/$${x}");
    let resolved = b"http://one.example.com:80/${x}";
    assert_eq!(cli.run(&[&get[..], &["--resolve"]].concat(), b"").await.ok().stdout, resolved);
    let start = ["run", "-e", "production", "--", "sh", "-c", "printf '%s' \"$URL\""];
    assert_eq!(cli.run(&start, b"").await.ok().stdout, resolved);

    cli.run(&["config", "rm", "name", "-e", "third"], b"").await.ok();
    for arguments in [&[&get[..], &["--resolve"]].concat()[..], &start, &[&WATCHING[..], &[WAITING]].concat()]
    {
        let refused = cli.run(arguments, b"").await;
        assert_eq!((refused.code, refused.stdout.len()), (USAGE, 0), "{refused:?}");
        assert!(refused.stderr.contains("host@shared refers to name@third"), "{refused:?}");
    }
    let told = cli.run(&[&["--json"], &start[..]].concat(), b"").await;
    let told: serde_json::Value = serde_json::from_str(&told.stderr).expect("one JSON document");
    assert_eq!((&told["code"], &told["error"]), (&"reference_unresolved".into(), &"usage".into()));
    // What refers to nothing is as it was stored, and so is what is left out.
    assert_eq!(cli.run(&["config", "get", "port", "--resolve", "--raw"], b"").await.ok().stdout, b"80");
    set(&cli, "shell", "third", "${HOME} $${x}").await;
    let only = ["run", "-e", "third", "--", "sh", "-c", "printf '%s' \"$SHELL\""];
    assert_eq!(ann(&stack).run(&only, b"").await.ok().stdout, b"${HOME} ${x}");
}

#[tokio::test]
async fn a_watched_program_starts_anew_when_what_it_refers_to_changes_in_whatever_environment() {
    for builder in [Stack::all(), Stack::separate().gateways(1)] {
        let stack = builder.start().await;
        let cli = referring(&stack).await;
        let mut program = cli.start(&[&WATCHING[..], &[WAITING]].concat());
        assert_eq!(line(&mut program).await, "http://one.example.com:80/${x}");
        set(&cli, "host", "shared", "two.example.com").await;
        assert_eq!(line(&mut program).await, "http://two.example.com:80/${x}");
        // It leads there no more.
        set(&cli, "name", "third", "other").await;
        is_quiet(&mut program).await;
        // What it refers to is gone: it goes on with what it has until it is there again.
        cli.run(&["config", "rm", "host", "-e", "shared"], b"").await.ok();
        is_quiet(&mut program).await;
        set(&cli, "host", "shared", "${ref:name@third}.example.com").await;
        assert_eq!(line(&mut program).await, "http://other.example.com:80/${x}");
        set(&cli, "name", "third", "four").await;
        assert_eq!(line(&mut program).await, "http://four.example.com:80/${x}");
        program.signal("TERM");
        let ended = timeout(SOON, program.end()).await.expect("it ends");
        assert_eq!(ended.code, 3);
        assert!(ended.stderr.contains("refers to host@shared, which does not exist"), "{ended:?}");
        assert!(ended.stderr.contains("goes on with the one it has"), "{ended:?}");
    }
}

#[tokio::test]
async fn a_program_whose_first_reference_is_stored_while_it_runs_follows_it_from_then_on() {
    let stack = Stack::all().start().await;
    let cli = referring(&stack).await;
    set(&cli, "url", "production", "plain").await;
    let mut program = cli.start(&[&WATCHING[..], &[WAITING]].concat());
    assert_eq!(line(&mut program).await, "plain");
    set(&cli, "host", "shared", "elsewhere").await;
    is_quiet(&mut program).await;
    set(&cli, "url", "production", "${ref:host@shared}").await;
    assert_eq!(line(&mut program).await, "elsewhere");
    set(&cli, "host", "shared", "there").await;
    assert_eq!(line(&mut program).await, "there");
}
