//! A service on ports of its own, and a client that sends exactly what a test says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use coffer_auth::service_token::ServiceSecret;
use coffer_core::{ManualClock, SeededRandom};
use coffer_kms_link::testing::{SERVICE_SECRET, START, user};
use coffer_server::{Running, start};
use coffer_store::records::MemoryRecords;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::config::Settings;
use crate::domain::testing::{FakeBlobs, FakeKms};
use crate::service::{Parts, assemble};

/// A token of the form that sessions have.
pub(super) fn token(name: &str) -> String {
    format!("{name:0<43}")
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?}", self.text()))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Status and message, which the contract repeats.
    pub(super) fn outcome(&self) -> (u16, String) {
        let json = self.json();
        assert_eq!(json["code"], self.status, "the body repeats the status");
        (self.status, json["message"].as_str().unwrap_or_default().to_owned())
    }

    /// The first thing that is wrong: its kind and where.
    pub(super) fn wrong(&self) -> (u16, String, Value) {
        let first = self.json()["detail"][0].clone();
        (self.status, first["type"].as_str().unwrap_or_default().to_owned(), first["loc"].clone())
    }
}

pub(super) struct Server {
    pub(super) kms: Arc<FakeKms>,
    pub(super) blobs: Arc<FakeBlobs>,
    pub(super) public: SocketAddr,
    pub(super) internal: SocketAddr,
    running: Running,
}

impl Server {
    /// A ready service with the sessions `ann` and `bob`.
    pub(super) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(super) async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let server = Self::start_without_kms(change).await;
        server.kms.is_gone.store(false, Ordering::SeqCst);
        server.until_ready(200).await;
        server
    }

    /// A service whose KMS is not there.
    pub(super) async fn start_without_kms(change: impl FnOnce(&mut Settings)) -> Self {
        let (kms, blobs) = (Arc::new(FakeKms::default()), Arc::new(FakeBlobs::default()));
        kms.is_gone.store(true, Ordering::SeqCst);
        for (name, number) in [("ann", 1), ("bob", 2)] {
            kms.log_in(&token(name), user(number));
        }
        let clock = Arc::new(ManualClock::at(START));
        let parts = Parts {
            kms: kms.clone(),
            records: Arc::new(MemoryRecords::new(clock.clone())),
            blobs: blobs.clone(),
            secret: Arc::new(ServiceSecret::new(SERVICE_SECRET.into()).unwrap()),
            clock,
            random: Arc::new(SeededRandom::new(8)),
        };
        let mut settings = Settings::default();
        settings.http.workers = 1;
        change(&mut settings);
        let running = start(vec![assemble(&settings, &parts)]).await.unwrap();
        let service = running.services()[0];
        Self { kms, blobs, public: service.public, internal: service.internal, running }
    }

    pub(super) async fn stop(self) {
        self.running.stop().await;
    }

    pub(super) async fn until_ready(&self, status: u16) {
        for _ in 0..500 {
            if send(self.internal, "GET /readyz HTTP/1.1\r\n", b"").await.status == status {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("readiness does not become {status}");
    }

    pub(super) async fn get(&self, path: &str, session: Option<&str>) -> Answer {
        send(self.public, &format!("GET {path} HTTP/1.1\r\n{}", sid(session)), b"").await
    }

    pub(super) async fn post(&self, path: &str, session: Option<&str>, body: &[u8]) -> Answer {
        send(self.public, &format!("POST {path} HTTP/1.1\r\n{}", sid(session)), body).await
    }

    pub(super) async fn upload(&self, session: Option<&str>, name: &str, data: &str) -> Answer {
        let body = upload_body(name, data);
        self.post("/upload", session, body.to_string().as_bytes()).await
    }
}

pub(super) fn upload_body(name: &str, data: &str) -> Value {
    serde_json::json!({
        "file_name": name, "encrypted_data": data,
        "encrypted_aes_key": "a2V5", "encrypted_aes_initial_vector": "dmVjdG9y",
    })
}

fn sid(session: Option<&str>) -> String {
    session.map(|session| format!("sid: {}\r\n", token(session))).unwrap_or_default()
}

/// Sends a request of which `head` is the beginning, and reads the answer to its end.
pub(super) async fn send(address: SocketAddr, head: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("{head}Host: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    // A server that refuses early may close before it has read everything.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let status = head[9..12].parse().unwrap();
    Answer { status, head, body: answer.split_off(end + 4) }
}
