//! A person with a client of the original, in Python: what is in `tests/python/original_client.py`.

use std::fs;
use std::path::PathBuf;

use coffer_tests::{Stack, python, python_script, run};
use serde_json::Value;

use super::{Download, Person};

pub(super) struct ByOriginal {
    directory: PathBuf,
    kms: String,
    data: String,
    email: String,
    password: String,
    sid: String,
}

impl ByOriginal {
    pub(super) fn new(stack: &Stack, name: &str) -> Self {
        let directory = stack.directory().join(name);
        fs::create_dir_all(&directory).expect("the directory can be made");
        Self {
            directory,
            kms: stack.kms[0].url.clone(),
            data: stack.data[0].url.clone(),
            email: format!("{name}@example.com"),
            password: format!("the phrase of {name}"),
            sid: "none".to_owned(),
        }
    }

    /// Runs one step of the client; it prints one JSON document.
    async fn step(&self, arguments: &[&str]) -> Value {
        let script = python_script("original_client.py").display().to_string();
        let mut all = vec![script.as_str(), &self.kms, &self.data, &self.sid];
        all.extend(arguments);
        let output = run(&python().display().to_string(), &all).await;
        serde_json::from_slice(&output).expect("the client prints JSON")
    }

    async fn expect(&self, arguments: &[&str], message: &str) -> Value {
        let answer = self.step(arguments).await;
        assert_eq!(
            (answer["code"].as_u64(), answer["message"].as_str()),
            (Some(200), Some(message)),
            "{answer}"
        );
        answer
    }
}

impl Person for ByOriginal {
    fn email(&self) -> &str {
        &self.email
    }

    async fn register(&mut self) {
        self.expect(&["register", &self.email, &self.password], "registration_pending").await;
    }

    async fn verify_register(&mut self, code: &str) {
        self.expect(&["verify_register", &self.email, code], "registration_success").await;
    }

    async fn login(&mut self) {
        self.expect(&["login", &self.email, &self.password], "login_otp_sent").await;
    }

    async fn verify_login(&mut self, code: &str) {
        let answer = self.expect(&["verify_login", &self.email, code], "login_success").await;
        self.sid = answer["sid"].as_str().expect("a log-in gives a session").into();
    }

    async fn put(&self, name: &str, content: &[u8]) {
        let file = self.directory.join("content");
        fs::write(&file, content).expect("the directory can be written");
        self.expect(&["put", name, &file.display().to_string()], "upload_success").await;
    }

    async fn get(&self, name: &str) -> Download {
        let file = self.directory.join("fetched").display().to_string();
        let answer = self.step(&["get", name, &file]).await;
        match answer["code"].as_u64() {
            Some(200) => Download::Bytes(fs::read(file).expect("the client wrote the file")),
            Some(400 | 403 | 404) => Download::Refused,
            _ => panic!("{answer}"),
        }
    }

    async fn share(&self, name: &str, friend: &str) {
        self.expect(&["grant", name, friend], "grant_success").await;
    }

    async fn unshare(&self, name: &str, friend: &str) {
        let answer = self.step(&["revoke", name, friend]).await;
        assert!(matches!(answer["status"].as_u64(), Some(200..300)), "{answer}");
    }
}
