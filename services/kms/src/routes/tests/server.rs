//! A service on ports of its own, and a client that sends exactly what a test says.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use actix_web::web::Data;
use async_trait::async_trait;
use coffer_api::internal::heads::{FenceRequest, HeadsPage, HeadsReplaced, HeadsRequest, ReplaceHeads};
use coffer_api::{AddressHash, Role, SessionHash, paths};
use coffer_auth::Principal;
use coffer_auth::service_token::{ServiceName, ServiceSecret};
use coffer_core::{Clock as _, EmailAddress, ExposeSecret as _, FileName, SystemClock, SystemRandom, UserId};
use coffer_server::routes::native;
use coffer_server::settings::HttpSettings;
use coffer_server::{AuthenticationError, Authenticator, Running, Service, ServiceKeys, Token, start};
use coffer_store::records::MemoryRecords;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::config::{EventSettings, FilesSettings, KeyringSettings};
use crate::domain::filekeys::{Uploads, UploadsError};
use crate::foundation::{Foundation, Machine};
use crate::repo::address::{AddressChange, AddressRepo, Claim};
use crate::repo::user::{Profile, UserRepo};
use crate::routes::{events, file_keys, internal};

pub(super) const SECRET: &str = "a secret of the data service, thirty-two bytes and more";

/// Sessions by token.
#[derive(Debug, Default)]
struct Sessions(Mutex<HashMap<String, Principal>>);

#[async_trait]
impl Authenticator for Sessions {
    async fn authenticate(&self, token: &Token) -> Result<Principal, AuthenticationError> {
        self.0.lock().unwrap().get(token.expose()).copied().ok_or(AuthenticationError::Invalid)
    }
}

#[derive(Debug, Default)]
pub(super) struct Uploaded(Mutex<HashSet<(UserId, String)>>);

impl Uploaded {
    pub(super) fn add(&self, space: UserId, name: &str) {
        self.0.lock().unwrap().insert((space, name.to_owned()));
    }
}

#[async_trait]
impl Uploads for Uploaded {
    async fn exists(&self, space: UserId, name: &FileName) -> Result<bool, UploadsError> {
        Ok(self.0.lock().unwrap().contains(&(space, name.as_str().to_owned())))
    }

    async fn old_heads(&self, _: &HeadsRequest) -> Result<HeadsPage, UploadsError> {
        Ok(HeadsPage::default())
    }

    async fn replace_heads(&self, _: &ReplaceHeads) -> Result<HeadsReplaced, UploadsError> {
        Ok(HeadsReplaced::default())
    }

    async fn fence(&self, _: &FenceRequest) -> Result<(), UploadsError> {
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// HTTP status, and the contract's number and message.
    pub(super) fn outcome(&self) -> (u16, u64, String) {
        let json = self.json();
        let message = json["message"].as_str().unwrap_or_default().to_owned();
        (self.status, json["code"].as_u64().unwrap_or_default(), message)
    }

    /// HTTP status and the problem's code, with the field that is wrong.
    pub(super) fn problem(&self) -> (u16, String, String) {
        let json = self.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (self.status, text(&json["code"]), text(&json["errors"][0]["field"]))
    }
}

pub(super) struct Server {
    pub(super) foundation: Foundation,
    pub(super) uploads: Arc<Uploaded>,
    pub(super) public: SocketAddr,
    pub(super) internal: SocketAddr,
    sessions: Arc<Sessions>,
    running: Running,
}

fn token(user: &str) -> String {
    format!("{user:0<43}")
}

impl Server {
    pub(super) async fn start() -> Self {
        let clock = Arc::new(SystemClock);
        let records = Arc::new(MemoryRecords::new(clock.clone()));
        let machine = Machine { records, clock, random: Arc::new(SystemRandom) };
        let keyring =
            KeyringSettings { root_key: Some("07".repeat(32).into()), ..KeyringSettings::default() };
        let foundation = Foundation::open(machine, &keyring, &EventSettings::default()).await.unwrap();
        let uploads = Arc::new(Uploaded::default());
        let files = FilesSettings { pool_pairs: 1, ..FilesSettings::default() };
        let (keys, _) = foundation.file_keys(&files, uploads.clone()).unwrap();
        let sessions = Arc::new(Sessions::default());
        let running = start(vec![service(&foundation, Data::from(keys), &sessions)]).await.unwrap();
        let at = running.services()[0];
        Self { foundation, uploads, public: at.public, internal: at.internal, sessions, running }
    }

    pub(super) async fn stop(self) {
        self.running.stop().await;
    }

    /// Somebody with an account and a session.
    pub(super) async fn user(&self, name: &str, role: Role, second_factor: bool) -> UserId {
        let email: EmailAddress = format!("{name}@example.com").parse().unwrap();
        let (store, created_at) = (&self.foundation.store, SystemClock.now());
        let id = UserId::make(created_at, &SystemRandom);
        let profile = Profile {
            id,
            number: 1,
            email: email.clone(),
            verified: true,
            user_name: None,
            role,
            active: true,
            password: None,
            password_unproved: false,
            session_epoch: 0,
            created_at,
        };
        UserRepo::new(store.clone()).create(&profile).await.unwrap();
        let blinded = self.foundation.index.blind("email", email.as_str().as_bytes());
        let address_hash = AddressHash::from_bytes(blinded);
        let claim = Claim { user_id: id, verified: true, claimed_at: created_at };
        let change = AddressChange::new().put_claim(&claim);
        assert!(AddressRepo::new(store.clone()).commit(&address_hash, change).await.unwrap());
        let session = SessionHash::from_bytes([1; 32]);
        let principal = Principal { user_id: id, role, session, second_factor, address_hash };
        self.sessions.0.lock().unwrap().insert(token(name), principal);
        id
    }

    pub(super) async fn post(&self, path: &str, user: Option<&str>, body: Value) -> Answer {
        self.post_text(path, user, &body.to_string()).await
    }

    pub(super) async fn post_text(&self, path: &str, user: Option<&str>, body: &str) -> Answer {
        send(self.public, &format!("POST {path} HTTP/1.1\r\n{}", sid(user)), body).await
    }

    pub(super) async fn get(&self, path: &str, user: Option<&str>) -> Answer {
        send(self.public, &format!("GET {path} HTTP/1.1\r\n{}", sid(user)), "").await
    }

    /// A call of the data service.
    pub(super) async fn ask(&self, path: &str, body: Value) -> Answer {
        let secret = ServiceSecret::new(SECRET.into()).unwrap();
        let tools = (&SystemClock as &dyn coffer_core::Clock, &SystemRandom as &dyn coffer_core::Random);
        let made = secret.make_token(ServiceName::Data, ServiceName::Kms, tools).unwrap();
        let head =
            format!("POST {path} HTTP/1.1\r\nAuthorization: Bearer {}\r\n", made.token.expose_secret());
        send(self.internal, &head, &body.to_string()).await
    }
}

fn service(
    foundation: &Foundation,
    keys: Data<crate::domain::filekeys::FileKeys>,
    sessions: &Arc<Sessions>,
) -> Service {
    let secret = Arc::new(ServiceSecret::new(SECRET.into()).unwrap());
    let secrets = ServiceKeys::default().with(ServiceName::Data, secret);
    let (keyrings, feed) = (Data::from(foundation.keyrings.clone()), Data::from(foundation.feed.clone()));
    let recorded = Data::from(foundation.events.clone());
    let (inner_keys, inner_events) = (keys.clone(), recorded.clone());
    let known = Data::new(secrets.clone());
    let settings = HttpSettings { workers: 1, ..HttpSettings::default() };
    Service::new(ServiceName::Kms, &settings)
        .authenticator(sessions.clone())
        .service_keys(secrets)
        .public(move |app| {
            app.app_data(keys.clone()).app_data(recorded.clone());
            file_keys::public(app);
            app.service(native(paths::v1::EVENTS).get(events::list));
        })
        .internal(move |app| {
            app.app_data(inner_keys.clone()).app_data(inner_events.clone());
            app.app_data(keyrings.clone()).app_data(feed.clone()).app_data(known.clone());
            internal::configure(app);
        })
}

fn sid(user: Option<&str>) -> String {
    user.map(|user| format!("sid: {}\r\n", token(user))).unwrap_or_default()
}

pub(super) async fn send(address: SocketAddr, head: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let text = format!(
        "{head}Host: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
    let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
    Answer { status, body: answer.split_off(end + 4) }
}
