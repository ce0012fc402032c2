//! Programs that `coffer run` has started: what their tests share.

use std::time::Duration;

use coffer_tests::{Cli, Running, Stack};
use tokio::time::timeout;

/// No log may hold it.
pub(super) const USER_KEY: &str = "planted user key of ann";
/// As long as anything may take on a busy machine.
pub(super) const SOON: Duration = Duration::from_secs(20);
/// Longer than a change takes until the program starts anew.
pub(super) const QUIET: Duration = Duration::from_secs(3);

/// Ann's command line.
pub(super) fn ann(stack: &Stack) -> Cli {
    let mut cli = stack.cli("ann");
    cli.set("COFFER_USER_KEY", USER_KEY);
    cli.set("PATH", &std::env::var("PATH").expect("there is a path"));
    cli
}

pub(super) async fn set(cli: &Cli, key: &str, environment: &str, value: &str) {
    cli.run(&["config", "set", key, "-", "-e", environment], value.as_bytes()).await.ok();
}

pub(super) async fn line(program: &mut Running) -> String {
    timeout(SOON, program.line()).await.expect("it says something").expect("it goes on")
}

pub(super) async fn is_quiet(program: &mut Running) {
    assert!(timeout(QUIET, program.line()).await.is_err(), "nothing has happened to it");
}
