//! Starting, being ready, stopping.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coffer_auth::service_token::ServiceName;
use coffer_server::settings::{HttpSettings, TlsSettings};
use coffer_server::{Service, StartError, start};
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{get, log_file, read, run, service, settings};

#[tokio::test]
async fn a_service_is_ready_when_everything_it_depends_on_answers() {
    let answers = Arc::new(AtomicBool::new(true));
    let storage = Arc::clone(&answers);
    let service = service(&settings()).check("storage", move || {
        let ok = storage.load(Ordering::SeqCst);
        async move { if ok { Ok(()) } else { Err("planted cause") } }
    });
    let running = start(vec![service]).await.unwrap();
    let internal = running.services()[0].internal;
    let answer = get(internal, "/readyz").await;
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("ready")));
    assert!(answer.json()["checks"]["storage"]["latency_ms"].is_u64());
    answers.store(false, Ordering::SeqCst);
    let answer = get(internal, "/readyz").await;
    assert_eq!((answer.status, &answer.json()["checks"]["storage"]["ok"]), (503, &json!(false)));
    assert!(!answer.body.contains("planted"));
    assert_eq!(get(internal, "/healthz").await.json(), json!({ "status": "ok" }));
    running.stop().await;
}

#[tokio::test]
async fn stopping_finishes_what_is_served_and_is_not_ready_meanwhile() {
    let finished = Arc::new(AtomicBool::new(false));
    let at_stop = Arc::clone(&finished);
    let service = service(&settings()).at_stop(move || async move { at_stop.store(true, Ordering::SeqCst) });
    let running = start(vec![service]).await.unwrap();
    let at = running.services()[0];
    let idle = TcpStream::connect(at.public).await.unwrap();
    let slow = tokio::spawn(get_slow(at.public));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stopping = tokio::spawn(running.stop());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let ready = get(at.internal, "/readyz").await;
    assert_eq!((ready.status, &ready.json()["status"]), (503, &json!("stopping")));
    assert!(!finished.load(Ordering::SeqCst));
    assert!(slow.await.unwrap().ends_with("finished"));
    tokio::time::timeout(Duration::from_secs(3), stopping).await.unwrap().unwrap();
    assert!(finished.load(Ordering::SeqCst));
    assert!(TcpStream::connect(at.public).await.is_err());
    drop(idle);
}

#[tokio::test]
async fn a_service_that_drains_is_not_ready_but_serves_and_closes_its_connections() {
    let running = run(&HttpSettings { drain_s: 1, ..settings() }).await;
    let at = running.services()[0];
    let before = get_kept(at.public).await;
    assert!(!before.to_lowercase().contains("connection: close"), "{before}");
    let stopping = tokio::spawn(running.stop());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(get(at.internal, "/readyz").await.json()["status"], json!("stopping"));
    let late = get_kept(at.public).await;
    assert!(late.starts_with("HTTP/1.1 200 ") && late.to_lowercase().contains("connection: close"), "{late}");
    tokio::time::timeout(Duration::from_secs(3), stopping).await.unwrap().unwrap();
    assert!(TcpStream::connect(at.public).await.is_err());
}

/// The head of an answer on a connection that its client would keep.
async fn get_kept(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /api/v1/address HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut head = vec![0; 4096];
    let read = stream.read(&mut head).await.unwrap();
    String::from_utf8_lossy(&head[..read]).into_owned()
}

async fn get_slow(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /api/v1/slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    read(stream).await.body
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_up_the_stop() {
    let running = run(&HttpSettings { shutdown_timeout_s: 1, ..settings() }).await;
    let mut stream = TcpStream::connect(running.services()[0].public).await.unwrap();
    stream.write_all(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    tokio::time::timeout(Duration::from_secs(5), running.stop()).await.unwrap();
}

#[tokio::test]
async fn a_taken_address_is_named_and_nothing_is_left_running() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let bind = taken.local_addr().unwrap();
    let other = Service::new(ServiceName::Data, &HttpSettings { bind, ..settings() });
    let error = start(vec![service(&settings()), other]).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("data") && text.contains(&bind.to_string()) && text.contains("public"), "{text}");
}

#[tokio::test]
async fn the_log_names_the_port_that_was_picked() {
    let log = log_file();
    let running = run(&settings()).await;
    let at = running.services()[0];
    running.stop().await;
    let lines = std::fs::read_to_string(log).unwrap();
    for (listener, address) in [("public", at.public), ("internal", at.internal)] {
        let wanted = format!("address={address}");
        let line = lines.lines().find(|line| line.contains(&wanted)).unwrap();
        assert!(line.contains("listening") && line.contains(&format!("listener=\"{listener}\"")), "{line}");
    }
}

#[tokio::test]
async fn the_public_listener_speaks_tls_when_it_has_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (cert_file, key_file) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert_file, made.cert.pem()).unwrap();
    std::fs::write(&key_file, made.signing_key.serialize_pem()).unwrap();
    let tls = TlsSettings { cert_file: Some(cert_file.clone()), key_file: Some(key_file.clone()) };
    let running = run(&HttpSettings { tls, ..settings() }).await;
    let at = running.services()[0];
    let certificate = made.cert.der().clone();
    let answer = tokio::task::spawn_blocking(move || ask_tls(at.public, certificate)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert_eq!(get(at.internal, "/healthz").await.status, 200);
    running.stop().await;

    let everybody = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(&key_file, everybody).unwrap();
    let exposed = TlsSettings { cert_file: Some(cert_file.clone()), key_file: Some(key_file) };
    let error = start(vec![service(&HttpSettings { tls: exposed, ..settings() })]).await.unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("http.tls.key_file"));

    let half = TlsSettings { cert_file: Some(cert_file), key_file: None };
    let error = start(vec![service(&HttpSettings { tls: half, ..settings() })]).await.unwrap_err();
    assert!(matches!(error, StartError::Tls { .. }));
}

fn ask_tls(address: SocketAddr, certificate: CertificateDer<'static>) -> String {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = rustls::StreamOwned::new(connection, std::net::TcpStream::connect(address).unwrap());
    stream.write_all(b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
