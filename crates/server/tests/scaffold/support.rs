//! A small service, and a client that shows the bytes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, Responder};
use async_trait::async_trait;
use coffer_api::contract::data::{DownloadQuery, Upload};
use coffer_api::contract::kms::Credentials;
use coffer_api::{AddressHash, ErrorCode, Role, SessionHash};
use coffer_auth::Principal;
use coffer_auth::permission::{ManageUsers, UseFiles};
use coffer_auth::service_token::{ServiceName, ServiceSecret};
use coffer_core::{SecretString, UserId};
use coffer_server::routes::{contract, native};
use coffer_server::settings::{HttpSettings, LogSettings};
use coffer_server::{
    AuthenticationError, Authenticator, ClientAddress, ContractQuery, DataContract, Failure, Granted,
    HttpError, JsonBody, KmsContract, PassedBody, Running, Service, ServiceCaller, ServiceKeys, Session,
    Token, ValidJson, ValidPath, ValidQuery, start,
};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const EMPLOYEE: &str = "employee-token-employee-token-employee-toke";
pub(crate) const ADMIN: &str = "admin-token-admin-token-admin-token-admin-t";
pub(crate) const OFFLINE: &str = "offline-token-offline-token-offline-token-o";
pub(crate) const SECRET: &str = "service-secret-service-secret-service-secret";
pub(crate) const GATEWAY_SECRET: &str = "gateway-secret-gateway-secret-gateway-secret";
/// The largest body that `/passed` passes on.
pub(crate) const PASSED_BYTES_MAX: usize = 300_000;

/// What `/api/v1/long` answers.
pub(crate) const LONG_BYTES: usize = 3_000_000;

/// For how long `/api/v1/hold_thread` holds its thread.
pub(crate) const THREAD_HELD: Duration = Duration::from_secs(7);

struct Sessions;

#[async_trait]
impl Authenticator for Sessions {
    async fn authenticate(&self, token: &Token) -> Result<Principal, AuthenticationError> {
        let role = match token.expose() {
            EMPLOYEE => Role::Employee,
            ADMIN => Role::Admin,
            OFFLINE => return Err(AuthenticationError::Unavailable("planted cause".into())),
            _ => return Err(AuthenticationError::Invalid),
        };
        Ok(Principal {
            user_id: UserId::from_bytes([7; 16]),
            role,
            session: SessionHash::from_bytes([1; 32]),
            second_factor: false,
            address_hash: AddressHash::from_bytes([2; 32]),
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Thing {
    name: String,
    size: u32,
}

async fn login(body: JsonBody<Credentials>) -> impl Responder {
    HttpResponse::Ok().json(json!({ "code": 200, "message": body.email.as_str() }))
}

async fn upload(body: JsonBody<Upload>) -> impl Responder {
    HttpResponse::Ok().json(json!({ "code": 200, "bytes": body.encrypted_data.0.len() }))
}

async fn download(query: ContractQuery<DownloadQuery>) -> impl Responder {
    HttpResponse::Ok().json(json!({ "code": 200, "file_name": query.file_name }))
}

async fn thing(body: ValidJson<Thing>) -> impl Responder {
    HttpResponse::Ok().json(json!({ "name": body.name, "size": body.size }))
}

async fn things(query: ValidQuery<Thing>) -> impl Responder {
    HttpResponse::Ok().json(json!({ "name": query.name, "size": query.size }))
}

async fn thing_by_id(id: ValidPath<UserId>) -> impl Responder {
    HttpResponse::Ok().json(json!({ "id": *id }))
}

async fn me(session: Session) -> impl Responder {
    HttpResponse::Ok().json(json!({ "user": session.user_id }))
}

async fn manage(_: Granted<ManageUsers>) -> &'static str {
    "managed"
}

async fn kms_files(_: Granted<UseFiles, KmsContract>) -> &'static str {
    "used"
}

async fn data_files(_: Granted<UseFiles, DataContract>) -> &'static str {
    "used"
}

async fn broken() -> Result<HttpResponse, HttpError> {
    Err(Failure::internal(std::io::Error::other("planted cause")))?
}

async fn busy() -> Result<HttpResponse, HttpError<KmsContract>> {
    Err(Failure::rate_limited(17))?
}

async fn taken() -> Result<HttpResponse, HttpError<KmsContract>> {
    Err(Failure::of(ErrorCode::UserExists))?
}

async fn invalid() -> Result<HttpResponse, HttpError<DataContract>> {
    Err(Failure::field("friend_email", "is the caller's own"))?
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(400)).await;
    "finished"
}

/// Keeps its thread from everything else for longer than a head may take.
async fn hold_thread() -> &'static str {
    std::thread::sleep(THREAD_HELD);
    "done"
}

async fn long() -> Vec<u8> {
    vec![b'x'; LONG_BYTES]
}

async fn address(client: ClientAddress) -> String {
    client.to_string()
}

/// Counts what a body passes on, as slowly as nobody else would.
async fn passed(body: PassedBody) -> Result<String, HttpError> {
    let Some((_, mut pieces)) = body.body else { return Ok("nothing".to_owned()) };
    let mut bytes = 0;
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => bytes += piece.len(),
            Err(_) => return Err(body.interruption.take().unwrap().into()),
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(bytes.to_string())
}

async fn peer(caller: ServiceCaller) -> String {
    caller.0.service.to_string()
}

fn public(app: &mut ServiceConfig) {
    app.service(contract("/login").post(login))
        .service(contract("/upload").post(upload))
        .service(contract("/download").get(download))
        .service(native("/api/v1/things").post(thing).get(things))
        .service(native("/api/v1/things/{id}").get(thing_by_id))
        .service(native("/api/v1/me").get(me))
        .service(native("/api/v1/manage").post(manage))
        .service(contract("/kms_files").post(kms_files))
        .service(contract("/data_files").get(data_files))
        .service(native("/api/v1/broken").get(broken))
        .service(contract("/busy").post(busy))
        .service(contract("/taken").post(taken))
        .service(contract("/invalid").post(invalid))
        .service(native("/api/v1/slow").get(slow))
        .service(native("/api/v1/hold_thread").get(hold_thread))
        .service(native("/api/v1/long").get(long))
        .service(native("/api/v1/passed").post(passed))
        .service(native("/api/v1/address").get(address));
}

pub(crate) fn keys() -> ServiceKeys {
    let secret = |text: &str| Arc::new(ServiceSecret::new(SecretString::from(text)).unwrap());
    ServiceKeys::default()
        .with(ServiceName::Data, secret(SECRET))
        .with(ServiceName::Gateway, secret(GATEWAY_SECRET))
}

/// The service, not yet started; every test may change its settings.
pub(crate) fn service(settings: &HttpSettings) -> Service {
    Service::new(ServiceName::Kms, settings)
        .public(public)
        .internal(|app| {
            app.service(native("/internal/v1/peer").post(peer));
        })
        .passed_body_bytes_max(PASSED_BYTES_MAX)
        .authenticator(Arc::new(Sessions))
        .service_keys(keys())
        .openapi(r#"{"openapi": "3.1.0"}"#)
}

pub(crate) fn settings() -> HttpSettings {
    HttpSettings { workers: 1, ..HttpSettings::default() }
}

pub(crate) async fn run(settings: &HttpSettings) -> Running {
    start(vec![service(settings)]).await.unwrap()
}

/// Where every test of this binary logs to.
pub(crate) fn log_file() -> std::path::PathBuf {
    static FOLDER: std::sync::OnceLock<tempfile::TempDir> = std::sync::OnceLock::new();
    let path = FOLDER.get_or_init(|| tempfile::tempdir().unwrap()).path().join("log");
    let settings = LogSettings { level: "debug".into(), file: Some(path.clone()), ..LogSettings::default() };
    coffer_server::telemetry::init_logs(&settings).unwrap();
    path
}

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        Self { status, headers, body: body.to_owned() }
    }
}

/// Sends bytes as they are and reads until the server closes.
pub(crate) async fn raw(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses early may close before everything is sent.
    let _ = stream.write_all(request).await;
    read(stream).await
}

pub(crate) async fn read(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await.unwrap();
    Answer::parse(&bytes)
}

/// A request with headers, each a line, and a body.
pub(crate) async fn ask(address: SocketAddr, line: &str, headers: &[&str], body: &str) -> Answer {
    let headers = [&["Host: test", "Connection: close"], headers].concat().join("\r\n");
    let length = body.len();
    let request = format!("{line} HTTP/1.1\r\n{headers}\r\nContent-Length: {length}\r\n\r\n{body}");
    raw(address, request.as_bytes()).await
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, &format!("GET {path}"), &[], "").await
}

pub(crate) async fn post(address: SocketAddr, path: &str, body: &str) -> Answer {
    ask(address, &format!("POST {path}"), &["Content-Type: application/json"], body).await
}
