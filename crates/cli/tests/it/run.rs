//! Running the program and looking at what it did.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::fake::{CODE, Fake, PASSWORD};

/// A folder to work in, with the program's settings in it.
pub(crate) struct Home {
    folder: TempDir,
    addresses: Vec<(&'static str, String)>,
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) exit: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Home {
    /// Nobody is logged in.
    pub(crate) fn new(server: &Fake) -> Self {
        let addresses = ["COFFER_KMS_URL", "COFFER_DATA_URL", "COFFER_GATEWAY_URL"]
            .map(|name| (name, server.url.clone()));
        let home = Self { folder: TempDir::new().unwrap(), addresses: addresses.into() };
        home.write("password", PASSWORD.as_bytes());
        home
    }

    /// Ann is logged in.
    pub(crate) fn logged_in(server: &Fake) -> Self {
        let home = Self::new(server);
        home.run(&["login", "ann@example.com", "--code", CODE]).expect(0);
        home
    }

    /// The same, with nothing that says where the servers are.
    pub(crate) fn without_addresses(mut self) -> Self {
        self.addresses.clear();
        self
    }

    /// A path in the working folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the working folder.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Runs the program with nothing on standard input.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, b"", &[])
    }

    /// Runs the program with this input, and these variables besides its own.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8], variables: &[(&str, &str)]) -> Ended {
        let mut child = Command::new(env!("CARGO_BIN_EXE_coffer"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("COFFER_CONFIG_DIR", self.path("config"))
            .envs(self.addresses.iter().map(|(name, url)| (name, url)))
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The program may end before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        Ended {
            exit: output.status.code().unwrap(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Names of everything in the working folder, sorted.
    pub(crate) fn entries(&self) -> Vec<String> {
        entries(self.folder.path())
    }

    /// Every file under the settings folder.
    pub(crate) fn settings(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.path("config")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_dir() { folders.push(entry) } else { found.push(entry) }
            }
        }
        found
    }
}

fn entries(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

impl Ended {
    /// The same, if the exit code is this one.
    #[track_caller]
    pub(crate) fn expect(self, exit: i32) -> Self {
        assert_eq!(self.exit, exit, "stderr: {}", self.stderr);
        self
    }

    /// Standard output as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// Standard output as the one JSON document that it must be.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap()
    }
}
