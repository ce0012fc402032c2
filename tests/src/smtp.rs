//! A real SMTP server that demands TLS and authentication, and keeps what it accepts.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::{Authority, Message, Process, free_port, python, python_script, until};

/// How the connection to the server becomes private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// By STARTTLS, before which nothing else is allowed.
    Starttls,
    /// From its first byte.
    Implicit,
}

impl SmtpTls {
    /// The value of the setting `smtp.tls`.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Starttls => "starttls",
            Self::Implicit => "tls",
        }
    }
}

/// An aiosmtpd process.
#[derive(Debug)]
pub struct SmtpServer {
    process: Process,
    authority: Authority,
    directory: TempDir,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    /// How it speaks TLS.
    pub tls: SmtpTls,
}

impl SmtpServer {
    /// The user name that it accepts.
    pub const USER: &str = "coffer-mailer";
    /// The password that it accepts.
    pub const PASSWORD: &str = "planted-smtp-password-8fe1";

    /// Starts one.
    pub async fn start(tls: SmtpTls) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let authority = Authority::make(directory.path());
        fs::create_dir(directory.path().join("outbox")).expect("the directory is new");
        let port = free_port();
        let process = Process::new(python(), directory.path().join("smtp.log"))
            .args([python_script("smtp_server.py").as_os_str()])
            .args([&port.to_string(), tls.setting()])
            .args([&authority.server_certificate, &authority.server_key])
            .args([Self::USER, Self::PASSWORD])
            .args([directory.path().join("outbox")]);
        process.start();
        until("the SMTP server is ready", Duration::from_secs(20), || async {
            assert!(process.runs(), "the SMTP server ended\n{}", process.last_words());
            process.log().contains("ready")
        })
        .await;
        Self { process, authority, directory, port, tls }
    }

    /// The certificate that its clients must trust.
    pub fn authority(&self) -> &Path {
        &self.authority.certificate
    }

    /// Refuses messages with 451 from now on, or accepts them again.
    pub fn refuse(&self, refuse: bool) {
        let flag = self.directory.path().join("outbox/refuse");
        let outcome = if refuse { fs::write(flag, "") } else { fs::remove_file(flag) };
        outcome.expect("the outbox can be written");
    }

    /// Refuses every recipient for good from now on, and repeats the address in its answer.
    pub fn reject_recipients(&self) {
        fs::write(self.directory.path().join("outbox/reject"), "").expect("the outbox can be written");
    }

    /// Everything it accepted, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        let mut paths: Vec<_> = fs::read_dir(self.directory.path().join("outbox"))
            .expect("the outbox is there")
            .map(|entry| entry.expect("the outbox can be read").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        paths.sort();
        let read = |path| fs::read(path).expect("the outbox can be read");
        paths.into_iter().map(|path| Message::from_json(&parse(&read(path)))).collect()
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }
}

fn parse(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("the SMTP server writes JSON")
}
