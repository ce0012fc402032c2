//! The `coffer` command line, as a person runs it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::binary;

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

impl Cli {
    pub(crate) fn new(home: &Path, kms_url: &str, data_url: &str) -> Self {
        fs::create_dir_all(home).expect("the directory can be made");
        let environment = [
            ("HOME".to_owned(), home.display().to_string()),
            ("COFFER_KMS_URL".to_owned(), kms_url.to_owned()),
            ("COFFER_DATA_URL".to_owned(), data_url.to_owned()),
        ];
        Self { environment: environment.into(), home: home.to_owned() }
    }

    /// Runs `coffer` with these arguments, in its home directory, with `input` on standard input.
    pub async fn run(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut child = Command::new(binary("coffer"))
            .args(arguments)
            .current_dir(&self.home)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the command line starts");
        let mut stdin = child.stdin.take().expect("it was asked for");
        let input = input.to_vec();
        // A command that does not read its input closes it: that is no failure.
        let writer = tokio::spawn(async move { stdin.write_all(&input).await.is_ok() });
        let output = child.wait_with_output().await.expect("the command line ends");
        let _ = writer.await;
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Run {
    /// Fails unless the command succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }
}
