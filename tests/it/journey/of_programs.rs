//! Programs that are started with their configuration by `coffer run`: what they get, what becomes of signals and exit
//! codes, and how they start anew.

use std::fs;
use std::path::Path;

use coffer_tests::{Cli, Running, Stack, binary, python, python_script, run, until};
use tokio::time::timeout;

use super::started::{QUIET, SOON, USER_KEY, ann, line, set};

/// A program that says what it got, and then waits with a child of its own until it is told to end.
const WAITING: &str = "trap 'echo bye; exit 3' TERM; sleep 1000 & echo \"$A $!\"; wait";
/// The same, but it does not listen, and neither does its child.
const DEAF: &str = "trap '' TERM; sleep 1000 & echo \"$A $! $$\"; while :; do sleep 0.1; done";

/// What a program said first: the value that it got, and the process that it started.
async fn got(program: &mut Running) -> (String, String) {
    let line = line(program).await;
    let (value, child) = line.split_once(' ').unwrap_or_else(|| panic!("{line}"));
    // A signal that reaches a shell's child before it is the other program is lost.
    let first = child.split(' ').next().unwrap_or(child);
    let sleeps = || async {
        fs::read_to_string(Path::new("/proc").join(first).join("comm"))
            .map_or(true, |name| name.trim() == "sleep")
    };
    until("the child of the program sleeps", SOON, sleeps).await;
    (value.to_owned(), child.to_owned())
}

async fn is_gone(process: &str) {
    let gone = || async {
        // What has ended and was not waited for yet is a zombie, which runs no more.
        fs::read_to_string(Path::new("/proc").join(process).join("stat"))
            .map_or(true, |stat| stat.contains(") Z "))
    };
    until("the child of the program is gone", SOON, gone).await;
}

/// Ann, who has stored something.
async fn storing(stack: &Stack) -> Cli {
    let cli = ann(stack);
    set(&cli, "a", "production", "1").await;
    cli
}

#[tokio::test]
async fn a_program_gets_its_configuration_and_its_exit_code_comes_back() {
    let stack = Stack::all().start().await;
    let cli = storing(&stack).await;
    set(&cli, "db/url", "production", "planted-value $x \"y\"\nz").await;
    set(&cli, "db.url", "staging", "other").await;
    cli.run(
        &["config", "set", "pool", "{\"n\": 1.50}", "--type", "json", "-e", "production", "-c", "c"],
        b"",
    )
    .await
    .ok();
    let of = |options: &[&'static str], script: &'static str| {
        [&["run", "-e", "production"], options, &["--", "sh", "-c", script, "zero", "--one"]].concat()
    };
    let script = "printf '%s|' \"$DB_URL\" \"$C_POOL\" \"$A\" \"$1\"; cat; exit 7";
    let run = cli.run(&of(&[], script), b"its input").await;
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert_eq!((run.code, said.as_str()), (7, "planted-value $x \"y\"\nz|{\"n\": 1.50}|1|--one|its input"));
    let only = cli.run(&of(&["-c", "c"], "printf '%s' \"$C_POOL$A\""), b"").await.ok();
    assert_eq!(only.stdout, b"{\"n\": 1.50}");

    // The program has what it needs, and not what opens everything; arguments and logs have neither.
    let seen =
        "env | grep -c 'planted user'; tr '\\0' ' ' < /proc/$PPID/cmdline; tr '\\0' ' ' < /proc/$$/cmdline";
    let run = cli.run(&of(&[], seen), b"").await.ok();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(
        said.starts_with("0\n") && said.contains("coffer run") && !said.contains("planted-value"),
        "{said}"
    );
    assert!(!stack.logs().contains("planted"));

    assert_eq!(cli.run(&of(&[], "kill -KILL $$"), b"").await.code, 128 + 9);
    assert_eq!(cli.run(&["run", "--", "no-such-program"], b"").await.code, 127);
    assert_eq!(cli.run(&["run", "--", "/"], b"").await.code, 126);
    let mut stranger = stack.cli("bob");
    stranger.set("COFFER_USER_KEY", "another user key");
    stranger.set("PATH", &std::env::var("PATH").expect("there is a path"));
    let nothing = stranger.run(&of(&[], "printf '%s' \"$DB_URL\""), b"").await.ok();
    assert!(nothing.stdout.is_empty(), "a wrong user key finds nothing");
    assert!(
        nothing.stderr.contains("gets no variables") && !only.stderr.contains("variables"),
        "{nothing:?}"
    );
}

#[tokio::test]
async fn what_cannot_be_variables_starts_no_program() {
    let stack = Stack::all().start().await;
    let mut cli = storing(&stack).await;
    let start = async |cli: &Cli, options: &[&str]| {
        let run = cli
            .run(&[&["run", "-e", "production"], options, &["--", "sh", "-c", "echo started"]].concat(), b"")
            .await;
        assert!(run.code == 0 || (run.stdout.is_empty() && !run.stderr.contains("planted")), "{run:?}");
        (run.code, run.stderr)
    };
    cli.set("A", "set already");
    let (code, said) = start(&cli, &[]).await;
    assert!(code == 2 && said.contains("--override"), "{said}");
    assert_eq!(start(&cli, &["--override"]).await.0, 0);
    set(&cli, "db.url", "production", "planted 1").await;
    set(&cli, "DB/URL", "production", "planted 2").await;
    let (code, said) = start(&cli, &["--override"]).await;
    assert!(code == 2 && said.contains("db.url") && said.contains("DB/URL"), "{said}");
    cli.run(&["config", "rm", "DB/URL"], b"").await.ok();
    set(&cli, "ld_preload", "production", "planted 3").await;
    assert_eq!(start(&cli, &["--override"]).await.0, 2);
}

#[tokio::test]
async fn null_is_no_variable_also_when_a_reference_leads_to_it() {
    let stack = Stack::all().start().await;
    let cli = storing(&stack).await;
    cli.run(&["config", "set", "n", "null", "--type", "json", "-e", "production"], b"").await.ok();
    set(&cli, "leads", "production", "${ref:n}").await;
    let script = "printf '%s' \"$A${N-none}${LEADS-none}\"";
    let run = cli.run(&["run", "-e", "production", "--", "sh", "-c", script], b"").await.ok();
    assert_eq!(String::from_utf8_lossy(&run.stdout), "1nonenone");
}

#[tokio::test]
async fn signals_reach_the_program_and_everything_that_it_has_started() {
    let stack = Stack::all().start().await;
    let cli = storing(&stack).await;
    let mut program = cli.start(&["run", "-e", "production", "--", "sh", "-c", WAITING]);
    let (_, child) = got(&mut program).await;
    program.signal("TERM");
    assert_eq!(line(&mut program).await, "bye");
    assert_eq!(timeout(SOON, program.end()).await.expect("it ends").code, 3);
    is_gone(&child).await;

    let script = "trap 'echo usr1' USR1; echo ready; while :; do sleep 0.05; done";
    let mut program = cli.start(&["run", "-e", "production", "--", "sh", "-c", script]);
    assert_eq!(line(&mut program).await, "ready");
    program.signal("USR1");
    assert_eq!(line(&mut program).await, "usr1");
    program.signal("INT");
    assert_eq!(timeout(SOON, program.end()).await.expect("it ends").code, 130);
}

#[tokio::test]
async fn a_watched_program_starts_anew_when_its_configuration_has_changed_and_only_then() {
    for builder in [Stack::all(), Stack::separate().gateways(1)] {
        let stack = builder.start().await;
        let cli = storing(&stack).await;
        let watching = ["run", "-e", "production", "--watch", "--", "sh", "-c", WAITING];
        let mut program = cli.start(&watching);
        let (value, first) = got(&mut program).await;
        assert_eq!(value, "1");
        for number in 2..=5 {
            set(&cli, "a", "production", &number.to_string()).await;
        }
        // However many changes there were, the last one is what it gets.
        loop {
            assert_eq!(line(&mut program).await, "bye");
            if got(&mut program).await.0 == "5" {
                break;
            }
        }
        is_gone(&first).await;
        // What it does not get, or what is the same again, is no reason.
        set(&cli, "a", "staging", "6").await;
        set(&cli, "a", "production", "5").await;
        assert!(timeout(QUIET, program.line()).await.is_err(), "nothing has happened to it");
        // What cannot be variables is none, and the program goes on until it can.
        set(&cli, "A", "production", "7").await;
        assert!(timeout(QUIET, program.line()).await.is_err(), "it goes on with what it has");
        cli.run(&["config", "rm", "a", "-e", "production"], b"").await.ok();
        assert_eq!(line(&mut program).await, "bye");
        assert_eq!(got(&mut program).await.0, "7");
        program.signal("TERM");
        assert_eq!(line(&mut program).await, "bye");
        let ended = timeout(SOON, program.end()).await.expect("it ends");
        assert_eq!(ended.code, 3);
        assert!(!ended.stderr.contains("planted"), "{ended:?}");
    }
}

#[tokio::test]
async fn a_watched_program_goes_on_with_what_it_has_when_nothing_is_found_any_more() {
    let stack = Stack::all().start().await;
    let cli = storing(&stack).await;
    let mut program = cli.start(&["run", "-e", "production", "--watch", "--", "sh", "-c", WAITING]);
    assert_eq!(got(&mut program).await.0, "1");
    cli.run(&["config", "rm", "a", "-e", "production"], b"").await.ok();
    assert!(timeout(QUIET, program.line()).await.is_err(), "it goes on with what it has");
    set(&cli, "a", "production", "2").await;
    assert_eq!(line(&mut program).await, "bye");
    assert_eq!(got(&mut program).await.0, "2");

    // What the change would have been is not to be had any more when it is read.
    set(&cli, "a", "production", "3").await;
    cli.run(&["config", "rekey", "--new-user-key-file", "-"], b"another user key of ann").await.ok();
    let quiet = timeout(QUIET, async {
        // If it was read in time all the same.
        assert_eq!(line(&mut program).await, "bye");
        assert_eq!(got(&mut program).await.0, "3");
        std::future::pending::<()>().await;
    });
    assert!(quiet.await.is_err());
    // The old user key is anybody's now.
    set(&cli, "a", "production", "4").await;
    assert!(timeout(QUIET, program.line()).await.is_err(), "it goes on with what it has");
    program.signal("TERM");
    assert_eq!(line(&mut program).await, "bye");
    let ended = timeout(SOON, program.end()).await.expect("it ends");
    assert_eq!(ended.code, 3);
    let times = |said: &str| ended.stderr.matches(said).count();
    assert_eq!(times("changes are not noticed any more, and the program goes on"), 1, "{ended:?}");
    assert!((1..=2).contains(&times("nothing is in production any more")), "{ended:?}");
}

#[tokio::test]
async fn a_watched_program_goes_on_with_what_it_has_when_the_system_does_not_take_more() {
    let stack = Stack::all().start().await;
    let cli = storing(&stack).await;
    let mut program = cli.start(&["run", "-e", "production", "--watch", "--", "sh", "-c", WAITING]);
    assert_eq!(got(&mut program).await.0, "1");
    // More than a variable can be.
    set(&cli, "long", "production", &"x".repeat(200_000)).await;
    assert!(timeout(QUIET, program.line()).await.is_err(), "it goes on with what it has");
    cli.run(&["config", "rm", "long", "-e", "production"], b"").await.ok();
    // Each can be a variable; all together are more than a program is given.
    let many: serde_json::Map<_, _> = (0..25)
        .map(|number| (format!("m{number}"), serde_json::json!({ "value": "x".repeat(100_000) })))
        .collect();
    let document = serde_json::json!({ "coffer_configs": 1, "configs": many }).to_string();
    cli.run(&["config", "import", "-", "--env", "production", "--format", "json"], document.as_bytes())
        .await
        .ok();
    assert_eq!(line(&mut program).await, "bye");
    assert_eq!(got(&mut program).await.0, "1", "it is there again, as before");
    program.signal("TERM");
    assert_eq!(line(&mut program).await, "bye");
    let ended = timeout(SOON, program.end()).await.expect("it ends");
    assert_eq!(ended.code, 3, "{ended:?}");
    for said in ["the value of long is longer than a variable can be", "goes on with the one before"] {
        assert!(ended.stderr.contains(said), "{ended:?}");
    }
}

#[tokio::test]
async fn a_program_that_does_not_listen_is_killed_after_its_grace_with_everything_that_it_has_started() {
    let stack = Stack::separate().gateways(1).start().await;
    let cli = storing(&stack).await;
    let watching = ["run", "-e", "production", "--watch", "--grace", "1", "--", "sh", "-c", DEAF];
    let mut program = cli.start(&watching);
    let (_, processes) = got(&mut program).await;
    set(&cli, "a", "production", "2").await;
    let (value, next) = got(&mut program).await;
    assert_eq!(value, "2");
    for process in processes.split(' ') {
        is_gone(process).await;
    }
    let group = next.split(' ').nth(1).expect("the program is the first of its group");
    run("kill", &["-KILL", "--", &format!("-{group}")]).await;
    assert_eq!(timeout(SOON, program.end()).await.expect("it ends").code, 128 + 9);
}

#[tokio::test]
async fn at_a_terminal_a_program_reads_stops_and_ends_as_without_us() {
    let stack = Stack::all().start().await;
    let cli = storing(&stack).await;
    cli.run(&["config", "ls"], b"").await.ok();
    let key = cli.home.join("key");
    fs::write(&key, USER_KEY).expect("the file can be written");
    let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600);
    fs::set_permissions(&key, mode).expect("its mode can be set");
    let script = python_script("terminal.py").display().to_string();
    let (coffer, key) = (binary("coffer").display().to_string(), key.display().to_string());
    let gateway = stack.gateway_url("");
    let arguments = [&script, &coffer, "--gateway", &gateway, "run", "-e", "production", "--override"];
    let rest = ["--user-key-file", &key, "--", "cat"];
    let said = run(&python().display().to_string(), &[&arguments[..], &rest].concat()).await;
    assert_eq!(String::from_utf8_lossy(&said).trim(), "ok");
}
