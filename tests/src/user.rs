//! A person who uses the file contract.

use serde_json::json;

use crate::{Http, Stack};

/// A registered user with a live session.
#[derive(Clone, Debug)]
pub struct User {
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
    /// The session token.
    pub sid: String,
}

impl Stack {
    /// Registers a user by code on the first KMS and logs in. `name` becomes the local part.
    pub async fn user(&self, name: &str) -> User {
        let email = format!("{name}@example.com");
        let password = format!("pass-{name}-phrase");
        self.register(&email, &password).await;
        let sid = self.login(&email, &password).await;
        User { email, password, sid }
    }

    /// Registers an address by code on the first KMS.
    pub async fn register(&self, email: &str, password: &str) {
        let http = Http::default();
        let seen = self.mailbox.messages(email).await.len();
        let body = json!({ "email": email, "password": password });
        http.post(&self.kms_url("/register"), body).await.expect(200, 200, "registration_pending");
        let otp = self.mailbox.code_after(email, seen).await;
        let body = json!({ "email": email, "otp": otp });
        http.post(&self.kms_url("/verify_register"), body).await.expect(200, 200, "registration_success");
    }

    /// Logs in by code on the first KMS and returns the session token.
    pub async fn login(&self, email: &str, password: &str) -> String {
        let otp = self.login_code(email, password).await;
        let body = json!({ "email": email, "otp": otp });
        let answer = Http::default().post(&self.kms_url("/verify_login"), body).await;
        let answer = answer.expect(200, 200, "login_success").json();
        answer["sid"].as_str().expect("a log-in gives a session").to_owned()
    }

    /// Gives the right password and returns the code that is mailed.
    pub async fn login_code(&self, email: &str, password: &str) -> String {
        let seen = self.mailbox.messages(email).await.len();
        let body = json!({ "email": email, "password": password });
        let answer = Http::default().post(&self.kms_url("/login"), body).await;
        answer.expect(200, 200, "login_otp_sent");
        self.mailbox.code_after(email, seen).await
    }
}
