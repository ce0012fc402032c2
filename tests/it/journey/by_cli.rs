//! A person at the command line.

use std::fs;

use coffer_tests::{Cli, Stack};

use super::{Download, Person};

/// Exit codes that scripts rely on.
const REFUSED: i32 = 4;
const NOT_FOUND: i32 = 5;
const CODE_NEEDED: i32 = 8;

pub(super) struct ByCli {
    pub(super) cli: Cli,
    email: String,
    password: String,
    /// Whether files are stored for the original clients.
    classic: bool,
}

impl ByCli {
    pub(super) fn new(stack: &Stack, name: &str) -> Self {
        let password = format!("the phrase of {name}\n");
        Self { cli: stack.cli(name), email: format!("{name}@example.com"), password, classic: false }
    }

    /// Somebody whose files the original clients can read.
    pub(super) fn classic(stack: &Stack, name: &str) -> Self {
        Self { classic: true, ..Self::new(stack, name) }
    }

    async fn ask_for_code(&self, command: &str) {
        let arguments = [command, &self.email, "--password-file", "-"];
        let run = self.cli.run(&arguments, self.password.as_bytes()).await;
        assert_eq!(run.code, CODE_NEEDED, "{run:?}");
    }
}

impl Person for ByCli {
    fn email(&self) -> &str {
        &self.email
    }

    async fn register(&mut self) {
        self.ask_for_code("register").await;
    }

    async fn verify_register(&mut self, code: &str) {
        self.cli.run(&["register", &self.email, "--code", code], b"").await.ok();
    }

    async fn login(&mut self) {
        self.ask_for_code("login").await;
    }

    async fn verify_login(&mut self, code: &str) {
        self.cli.run(&["login", &self.email, "--code", code], b"").await.ok();
    }

    async fn put(&self, name: &str, content: &[u8]) {
        fs::write(self.cli.home.join(name), content).expect("the home can be written");
        let arguments: &[&str] = if self.classic { &["put", "--classic", name] } else { &["put", name] };
        self.cli.run(arguments, b"").await.ok();
    }

    async fn get(&self, name: &str) -> Download {
        let target = self.cli.home.join("fetched");
        // Twice, so that standard output is tried as well.
        let run = self.cli.run(&["get", name, "fetched", "--force"], b"").await;
        if run.code == REFUSED || run.code == NOT_FOUND {
            return Download::Refused;
        }
        run.ok();
        let content = fs::read(target).expect("the file was written");
        assert!(self.cli.run(&["get", name, "-"], b"").await.ok().stdout == content, "{name} as a stream");
        Download::Bytes(content)
    }

    async fn share(&self, name: &str, friend: &str) {
        self.cli.run(&["share", name, friend], b"").await.ok();
    }

    async fn unshare(&self, name: &str, friend: &str) {
        self.cli.run(&["unshare", name, friend], b"").await.ok();
    }
}
