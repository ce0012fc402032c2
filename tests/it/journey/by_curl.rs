//! A person with `curl` and `openssl`.

use coffer_tests::{Curl, Stack};
use serde_json::{Value, json};

use super::{Download, Person};

pub(super) struct ByCurl {
    curl: Curl,
    kms: String,
    data: String,
    email: String,
    password: String,
    sid: String,
}

impl ByCurl {
    pub(super) fn new(stack: &Stack, name: &str) -> Self {
        Self {
            curl: Curl::new(&stack.directory().join(name)),
            kms: stack.kms[0].url.clone(),
            data: stack.data[0].url.clone(),
            email: format!("{name}@example.com"),
            password: format!("the phrase of {name}"),
            sid: String::new(),
        }
    }

    async fn kms(&self, path: &str, body: Value, message: &str) -> Value {
        let (status, answer) = self.curl.post(&format!("{}{path}", self.kms), &self.sid, &body).await;
        let outcome = (status, answer["code"].as_u64(), answer["message"].as_str());
        assert_eq!(outcome, (200, Some(200), Some(message)), "{path}: {answer}");
        answer
    }

    async fn private_key(&self, name: &str) -> (u16, Value) {
        let body = json!({ "file_name": name });
        self.curl.post(&format!("{}/get_private_key", self.kms), &self.sid, &body).await
    }
}

impl Person for ByCurl {
    fn email(&self) -> &str {
        &self.email
    }

    async fn register(&mut self) {
        let body = json!({ "email": self.email, "password": self.password });
        self.kms("/register", body, "registration_pending").await;
    }

    async fn verify_register(&mut self, code: &str) {
        let body = json!({ "email": self.email, "otp": code });
        self.kms("/verify_register", body, "registration_success").await;
    }

    async fn login(&mut self) {
        let body = json!({ "email": self.email, "password": self.password });
        self.kms("/login", body, "login_otp_sent").await;
    }

    async fn verify_login(&mut self, code: &str) {
        let body = json!({ "email": self.email, "otp": code });
        let answer = self.kms("/verify_login", body, "login_success").await;
        self.sid = answer["sid"].as_str().expect("a log-in gives a session").into();
    }

    async fn put(&self, name: &str, content: &[u8]) {
        let answer = self.kms("/get_public_key", json!({ "file_name": name }), "public_key_saved").await;
        let key = answer["kms_public_key"].as_str().expect("a key");
        let envelope = self.curl.seal(name, key, content).await;
        let (status, answer) = self.curl.post(&format!("{}/upload", self.data), &self.sid, &envelope).await;
        assert_eq!((status, answer["message"].as_str()), (200, Some("upload_success")), "{answer}");
    }

    async fn get(&self, name: &str) -> Download {
        let parameter = format!("file_name={name}");
        let (status, envelope) =
            self.curl.get(&format!("{}/download", self.data), &self.sid, &parameter).await;
        if matches!(status, 403 | 404) {
            let (_, key) = self.private_key(name).await;
            assert_eq!(key["message"], "access_denied", "the key is refused with the file");
            return Download::Refused;
        }
        assert_eq!(status, 200, "{envelope}");
        let (_, answer) = self.private_key(name).await;
        if answer["message"] == "access_denied" {
            // The KMS knows of a revocation before the data service does.
            return Download::Ciphertext;
        }
        let key = answer["kms_private_key"].as_str().unwrap_or_else(|| panic!("no key: {answer}"));
        Download::Bytes(self.curl.open(key, &envelope).await)
    }

    async fn share(&self, name: &str, friend: &str) {
        let body = json!({ "file_name": name, "friend_email": friend });
        self.kms("/grant_access", body, "grant_success").await;
    }

    async fn unshare(&self, name: &str, friend: &str) {
        let body = json!({ "name": name, "grantee_email": friend });
        let (status, _) =
            self.curl.post(&format!("{}/api/v1/grants/revoke", self.kms), &self.sid, &body).await;
        assert!((200..300).contains(&status), "{status}");
    }
}
