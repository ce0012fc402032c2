//! The whole service on ports of its own, in memory, with the development mailbox.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use coffer_auth::password::Password;
use coffer_auth::service_token::{ServiceName, ServiceSecret};
use coffer_core::{Clock, ExposeSecret as _, SecretString, SystemClock, SystemRandom};
use coffer_server::settings::ServiceCredential;
use coffer_server::{Running, start};
use coffer_store::records::MemoryRecords;
use serde_json::{Value, json};

use super::super::server::{Answer, SECRET, Uploaded, send};
use crate::config::{EmailOtp, Settings};
use crate::domain::identity::AdminWish;
use crate::foundation::{Foundation, Machine};
use crate::service::{assemble, identity};

pub(super) const PASSWORD: &str = "correct horse battery";

pub(super) struct Kms {
    pub(super) public: SocketAddr,
    pub(super) internal: SocketAddr,
    running: Running,
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.http.workers = 1;
    settings.auth.bcrypt_cost = 4;
    settings.smtp.dev_mailbox = true;
    settings.keyring.root_key = Some(SecretString::from("07".repeat(32)));
    settings.files.pool_pairs = 0;
    let credential = ServiceCredential { secret: Some(SecretString::from(SECRET)), secret_file: None };
    settings.internal.services.insert("data".to_owned(), credential);
    settings
}

impl Kms {
    pub(super) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with_optional_codes() -> Self {
        Self::with(|settings| settings.auth.email_otp = EmailOtp::Optional).await
    }

    /// A service with an administrator `root@example.com`.
    pub(super) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let records = Arc::new(MemoryRecords::new(Arc::clone(&clock)));
        let machine = Machine { records, clock, random: Arc::new(SystemRandom) };
        let foundation = Foundation::open(machine, &settings.keyring, &settings.events).await.unwrap();
        let password = Some(Password::new(SecretString::from(PASSWORD)).unwrap());
        let wish = AdminWish { email: "root@example.com".parse().unwrap(), password };
        identity(&foundation, &settings).unwrap().make_admin(wish).await.unwrap();
        let service = assemble(foundation, Arc::new(Uploaded::default()), &settings).unwrap();
        let running = start(vec![service]).await.unwrap();
        let at = running.services()[0];
        Self { public: at.public, internal: at.internal, running }
    }

    pub(super) async fn stop(self) {
        self.running.stop().await;
    }

    /// Sends a request to the public listener; `token` goes as `sid`.
    pub(super) async fn send(&self, line: &str, token: Option<&str>, body: &str) -> Answer {
        let sid = token.map(|token| format!("sid: {token}\r\n")).unwrap_or_default();
        send(self.public, &format!("{line} HTTP/1.1\r\n{sid}"), body).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(&format!("POST {path}"), None, &body.to_string()).await
    }

    pub(super) async fn post_as(&self, token: &str, path: &str, body: Value) -> Answer {
        self.send(&format!("POST {path}"), Some(token), &body.to_string()).await
    }

    pub(super) async fn get_as(&self, token: &str, path: &str) -> Answer {
        self.send(&format!("GET {path}"), Some(token), "").await
    }

    /// A call of the data service to the internal listener.
    pub(super) async fn ask(&self, path: &str, body: Value) -> Answer {
        let secret = ServiceSecret::new(SECRET.into()).unwrap();
        let tools = (&SystemClock as &dyn Clock, &SystemRandom as &dyn coffer_core::Random);
        let made = secret.make_token(ServiceName::Data, ServiceName::Kms, tools).unwrap();
        let head =
            format!("POST {path} HTTP/1.1\r\nAuthorization: Bearer {}\r\n", made.token.expose_secret());
        send(self.internal, &head, &body.to_string()).await
    }

    async fn letters(&self, email: &str) -> Vec<String> {
        let all = send(self.internal, "GET /dev/mailbox HTTP/1.1\r\n", "").await.json();
        let letters = all["messages"].as_array().unwrap().iter();
        letters.filter(|it| it["to"] == email).map(|it| it["text"].as_str().unwrap().to_owned()).collect()
    }

    /// The code of the letter to `email` after the first `seen`.
    pub(super) async fn code(&self, email: &str, seen: usize) -> String {
        for _ in 0..500 {
            if let Some(text) = self.letters(email).await.get(seen) {
                let (_, rest) = text.split_once("Your verification code is: ").unwrap();
                return rest[..6].to_owned();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no letter {} to {email}", seen + 1);
    }

    /// Registers by the contract.
    pub(super) async fn register(&self, email: &str) {
        let body = json!({ "email": email, "password": PASSWORD });
        let asked = self.post("/register", body).await.outcome();
        assert_eq!(asked, (200, 200, "registration_pending".to_owned()));
        let code = self.code(email, 0).await;
        let verified = self.post("/verify_register", json!({ "email": email, "otp": code })).await.outcome();
        assert_eq!(verified, (200, 200, "registration_success".to_owned()));
    }

    /// Logs in by the contract; the token.
    pub(super) async fn log_in(&self, email: &str) -> String {
        let seen = self.letters(email).await.len();
        let asked = self.post("/login", json!({ "email": email, "password": PASSWORD })).await.outcome();
        assert_eq!(asked, (200, 200, "login_otp_sent".to_owned()));
        let code = self.code(email, seen).await;
        let answer = self.post("/verify_login", json!({ "email": email, "otp": code })).await;
        assert_eq!(answer.outcome(), (200, 200, "login_success".to_owned()));
        answer.json()["sid"].as_str().unwrap().to_owned()
    }

    pub(super) async fn letters_seen(&self, email: &str) -> usize {
        self.letters(email).await.len()
    }
}
