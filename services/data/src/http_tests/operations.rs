//! Readiness, the KMS going away and coming back, and what only services may ask.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use coffer_auth::service_token::{ServiceName, ServiceSecret};
use coffer_core::ExposeSecret as _;
use coffer_core::{ManualClock, SeededRandom};
use coffer_kms_link::testing::{SERVICE_SECRET, START, user};
use serde_json::json;

use super::client::{Server, send};

#[tokio::test]
async fn the_service_is_not_ready_before_the_keyring_is_there() {
    let server = Server::start_without_kms(|_| {}).await;
    server.until_ready(503).await;
    let answer = server.get("/list_files", Some("ann")).await;
    assert_eq!(answer.outcome(), (503, "unavailable".into()));
    server.kms.is_gone.store(false, Ordering::SeqCst);
    server.until_ready(200).await;
    assert_eq!(server.get("/list_files", Some("ann")).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn when_the_kms_is_gone_known_sessions_are_served_for_two_seconds_at_most() {
    let server = Server::start().await;
    assert_eq!(server.upload(Some("ann"), "f", "AAAA").await.status, 200);
    server.kms.is_gone.store(true, Ordering::SeqCst);
    #[expect(clippy::disallowed_methods, reason = "the test measures real time")]
    let gone = Instant::now();
    let refused = loop {
        let answer = server.get("/download?file_name=f", Some("ann")).await;
        if answer.status != 200 {
            break answer;
        }
        assert!(gone.elapsed() < Duration::from_millis(2500), "still served");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(refused.outcome(), (503, "unavailable".into()));
    assert_eq!(refused.header("retry-after"), Some("1"));
    server.kms.is_gone.store(false, Ordering::SeqCst);
    server.until_ready(200).await;
    assert_eq!(server.get("/download?file_name=f", Some("ann")).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn with_shared_names_files_are_served_without_the_kms_once_the_keyring_is_there() {
    let server = Server::start_with(|settings| settings.files.shared_names = true).await;
    server.kms.is_gone.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(2600)).await;
    assert_eq!(server.upload(None, "f", "AAAA").await.status, 200);
    server.until_ready(200).await;
    server.stop().await;
}

#[tokio::test]
async fn whether_a_file_exists_is_told_to_the_kms_alone() {
    let server = Server::start().await;
    server.upload(Some("ann"), "f", "AAAA").await;
    let secret = |text: &str| ServiceSecret::new(text.into()).unwrap();
    let bearer = |secret: &ServiceSecret, issuer, audience| {
        let made = secret.make_token(issuer, audience, (&ManualClock::at(START), &SeededRandom::new(1)));
        format!("Authorization: Bearer {}\r\n", made.unwrap().token.expose_secret())
    };
    let ours = secret(SERVICE_SECRET);
    let good = bearer(&ours, ServiceName::Kms, ServiceName::Data);
    let path = "POST /internal/v1/files/exists HTTP/1.1\r\nContent-Type: application/json\r\n";
    for (name, exists) in [("f", true), ("g", false)] {
        let body = json!({ "space": user(1), "file_name": name }).to_string();
        let answer = send(server.internal, &format!("{path}{good}"), body.as_bytes()).await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "exists": exists })));
    }
    let body = json!({ "space": user(1), "file_name": "f" }).to_string();
    let other = secret("another secret, also of thirty-two bytes");
    for refused in [
        String::new(),
        "Authorization: Bearer x\r\n".to_owned(),
        bearer(&other, ServiceName::Kms, ServiceName::Data),
        bearer(&ours, ServiceName::Data, ServiceName::Kms),
    ] {
        let answer = send(server.internal, &format!("{path}{refused}"), body.as_bytes()).await;
        assert_eq!(answer.status, 401, "{refused}");
    }
    let public = send(server.public, &format!("{path}{good}"), body.as_bytes()).await;
    assert_eq!(public.status, 404, "the public listener knows nothing of it");
    server.stop().await;
}

#[tokio::test]
async fn the_interface_is_documented() {
    let server = Server::start().await;
    let document = server.get("/openapi.json", None).await.json();
    for path in ["/upload", "/download", "/list_files", "/api/v1/files"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    assert_eq!(server.get("/docs/", None).await.status, 200);
    server.stop().await;
}
