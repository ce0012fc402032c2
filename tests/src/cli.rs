//! The `coffer` command line, as a person runs it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::{Stack, binary};

/// How long a command may take to end when it is told to; after that it is killed.
const END_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The command line with a home directory of its own.
#[derive(Debug)]
pub struct Cli {
    environment: BTreeMap<String, String>,
    /// Its home and working directory.
    pub home: PathBuf,
}

/// What a command did.
#[derive(Debug)]
pub struct Run {
    /// The exit code; -1 after a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error, as text.
    pub stderr: String,
}

/// A command that goes on until it is dropped: then it is told to end, so that it ends what it has started itself.
#[derive(Debug)]
pub struct Running {
    /// Until its end is waited for.
    child: Option<Child>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Cli {
    /// `servers` are the variables that name them, and where they are.
    pub(crate) fn new(home: &Path, servers: &[(&str, &str)]) -> Self {
        fs::create_dir_all(home).expect("the directory can be made");
        let folder = home.display().to_string();
        let variables = servers.iter().copied().chain([("HOME", folder.as_str())]);
        let environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { environment, home: home.to_owned() }
    }

    /// Sets a variable of its environment.
    pub fn set(&mut self, variable: &str, value: &str) {
        self.environment.insert(variable.to_owned(), value.to_owned());
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary("coffer"));
        command
            .args(arguments)
            .current_dir(&self.home)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Starts `coffer` with these arguments and nothing on standard input.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut child =
            self.command(arguments).stdin(Stdio::null()).spawn().expect("the command line starts");
        let stdout = child.stdout.take().expect("it was asked for");
        Running { child: Some(child), lines: BufReader::new(stdout).lines() }
    }

    /// Runs `coffer` with these arguments, in its home directory, with `input` on standard input.
    pub async fn run(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut child = self.command(arguments).spawn().expect("the command line starts");
        let mut stdin = child.stdin.take().expect("it was asked for");
        let input = input.to_vec();
        // A command that does not read its input closes it: that is no failure.
        let writer = tokio::spawn(async move { stdin.write_all(&input).await.is_ok() });
        let output = child.wait_with_output().await.expect("the command line ends");
        let _ = writer.await;
        Run::of(output)
    }
}

impl Stack {
    /// The command line of somebody who has registered and logged in with it.
    pub async fn cli_user(&self, name: &str) -> Cli {
        let (cli, email) = (self.cli(name), format!("{name}@example.com"));
        for command in ["register", "login"] {
            let seen = self.mailbox.messages(&email).await.len();
            let password = format!("the phrase of {name}\n");
            cli.run(&[command, &email, "--password-file", "-"], password.as_bytes()).await;
            let code = self.mailbox.code_after(&email, seen).await;
            cli.run(&[command, &email, "--code", &code], b"").await.ok();
        }
        cli
    }
}

impl Running {
    /// Sends it a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let id = self.child.as_ref().and_then(Child::id).expect("it runs").to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &id]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// The next line of standard output; none once the command has ended.
    pub async fn line(&mut self) -> Option<String> {
        self.lines.next_line().await.expect("standard output can be read")
    }

    /// Waits until the command ends by itself.
    pub async fn end(mut self) -> Run {
        let child = self.child.take().expect("its end is waited for once");
        Run::of(child.wait_with_output().await.expect("the command line ends"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(child) = &mut self.child else { return };
        if let Some(id) = child.id() {
            // What has ended meanwhile needs no signal.
            let _ = std::process::Command::new("kill").args(["-TERM", &id.to_string()]).status();
        }
        for _ in 0..END_WITHIN.as_millis() / LOOK_EVERY.as_millis() {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Run {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Fails unless the command succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }
}
