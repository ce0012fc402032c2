//! A person who uses the file contract.

use std::net::Ipv4Addr;

use crate::{Http, Stack, Surface};

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
    /// The contract on the first KMS and the first data service.
    pub fn surface(&self) -> Surface {
        self.surface_of(0, 0)
    }

    /// The contract on these two processes.
    pub fn surface_of(&self, kms: usize, data: usize) -> Surface {
        Surface { http: Http::default(), kms: self.kms[kms].url.clone(), data: self.data[data].url.clone() }
    }

    /// The contract for a client at another address, any of 127.0.0.0/8.
    pub fn surface_from(&self, address: Ipv4Addr) -> Surface {
        Surface { http: Http::from_address(address), ..self.surface() }
    }

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
        let otp = self.register_code(email, password).await;
        self.surface().verify_register(email, &otp).await.expect(200, 200, "registration_success");
    }

    /// Asks for an account and returns the code that is mailed.
    pub async fn register_code(&self, email: &str, password: &str) -> String {
        let seen = self.mailbox.messages(email).await.len();
        self.surface().register(email, password).await.expect(200, 200, "registration_pending");
        self.mailbox.code_after(email, seen).await
    }

    /// Logs in by code on the first KMS and returns the session token.
    pub async fn login(&self, email: &str, password: &str) -> String {
        let otp = self.login_code(email, password).await;
        let answer = self.surface().verify_login(email, &otp).await.expect(200, 200, "login_success");
        answer.field("sid")
    }

    /// Gives the right password and returns the code that is mailed.
    pub async fn login_code(&self, email: &str, password: &str) -> String {
        let seen = self.mailbox.messages(email).await.len();
        self.surface().login(email, password).await.expect(200, 200, "login_otp_sent");
        self.mailbox.code_after(email, seen).await
    }
}
