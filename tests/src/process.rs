//! One program under test, as a process with its log in a file.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::wait::until_some;

/// A program that can be killed and started again with the same arguments, environment and log.
///
/// It inherits nothing of the test's environment but `PATH`. Dropping it kills the process.
#[derive(Debug)]
pub struct Process {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: BTreeMap<String, String>,
    log: PathBuf,
    child: Mutex<Option<Child>>,
}

impl Process {
    /// Describes a process; [`Process::start`] starts it. Its output is appended to `log`.
    pub fn new(program: impl Into<PathBuf>, log: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            log: log.into(),
            child: Mutex::new(None),
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets variables of its environment.
    #[must_use]
    pub fn envs(mut self, variables: &BTreeMap<String, String>) -> Self {
        self.environment.extend(variables.clone());
        self
    }

    /// Starts it.
    pub fn start(&self) {
        let output = OpenOptions::new().create(true).append(true).open(&self.log).expect("the log opens");
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a file can be shared"))
            .stderr(output)
            .spawn()
            .unwrap_or_else(|err| panic!("starting {}: {err}", self.program.display()));
        let before = self.slot().replace(child);
        assert!(before.is_none(), "{} runs already", self.program.display());
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the same program once more, with these arguments behind its own and in the same environment, to its end.
    pub async fn run_beside(&self, arguments: &[&str]) -> Output {
        let run = tokio::process::Command::new(&self.program)
            .args(&self.arguments)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(&self.environment)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let ended = tokio::time::timeout(Duration::from_mins(1), run).await.expect("a command ends");
        ended.unwrap_or_else(|err| panic!("starting {}: {err}", self.program.display()))
    }

    /// Kills it with SIGKILL, at once.
    pub fn kill(&self) {
        if let Some(mut child) = self.slot().take() {
            // Both fail only when it ended by itself, which is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Asks it to stop (SIGTERM) and waits for its end, at most for `limit`.
    pub async fn stop(&self, limit: Duration) -> ExitStatus {
        let signalled = Command::new("kill").args(["-TERM", &self.id().to_string()]).status();
        assert!(signalled.expect("kill runs").success());
        self.ended(limit).await
    }

    /// Waits until it has ended.
    pub async fn ended(&self, limit: Duration) -> ExitStatus {
        let status = until_some(&format!("the end of {}", self.program.display()), limit, || async {
            self.slot().as_mut().expect("it was started").try_wait().expect("a child can be asked")
        })
        .await;
        self.slot().take();
        status
    }

    /// Whether it runs.
    pub fn runs(&self) -> bool {
        self.slot().as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.slot().as_ref().expect("it runs").id()
    }

    /// Everything it has printed, over all its lives.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Where its log is.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// The last lines of its log, for a failure's message.
    pub fn last_words(&self) -> String {
        let log = self.log();
        // The data service asks twice a second: that would be all there is to see.
        let lines: Vec<&str> = log.lines().filter(|line| !line.contains("/internal/v1/feed")).collect();
        let tail = &lines[lines.len().saturating_sub(30)..];
        format!("--- {} ({})\n{}", self.program.display(), self.log.display(), tail.join("\n"))
    }

    /// A field of `/proc/<pid>/status` that is a size, in KiB: `VmRSS`, `RssAnon`, ….
    pub fn memory_kib(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).expect("procfs is there");
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let size = line.and_then(|rest| rest.split_whitespace().next()).expect("the field is there");
        size.parse().expect("sizes are numbers")
    }

    /// The processor time that it has used, in seconds.
    pub fn cpu_s(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).expect("procfs is there");
        let (_, fields) = stat.rsplit_once(')').expect("the name is in brackets");
        // User and system time, in hundredths (proc_pid_stat(5); Linux shows no other unit).
        let times = fields.split_whitespace().skip(11).take(2);
        times.map(|hundredths| hundredths.parse::<f64>().expect("times are numbers") / 100.0).sum()
    }

    /// A limit of it, soft and hard, by the name that `/proc/<pid>/limits` has for it.
    pub fn limit(&self, name: &str) -> (String, String) {
        let limits = fs::read_to_string(format!("/proc/{}/limits", self.id())).expect("procfs is there");
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).expect("there is such a limit");
        let mut words = line.split_whitespace().map(str::to_owned);
        let mut word = || words.next().expect("a limit has two figures");
        (word(), word())
    }

    /// Its command line as every user of the machine sees it.
    pub fn command_line(&self) -> Vec<u8> {
        fs::read(format!("/proc/{}/cmdline", self.id())).expect("procfs is there")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
