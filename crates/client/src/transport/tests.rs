use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use coffer_api::trace::RequestId;
use coffer_core::SecretString;
use serde_json::{Value, json};

use super::*;

const TIMEOUT: Duration = Duration::from_secs(5);

/// A server that gives each connection its next answer, and tells what it was asked.
struct Scripted {
    base: String,
    asked: std::thread::JoinHandle<Vec<String>>,
}

fn scripted(answers: &'static [&'static str]) -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = [0; 4096];
            let count = stream.read(&mut bytes).unwrap();
            asked.push(String::from_utf8_lossy(&bytes[..count]).into_owned());
            stream.write_all(answer.as_bytes()).unwrap();
        }
        asked
    });
    Scripted { base, asked }
}

fn transport(base: &str) -> Transport {
    let token = Arc::new(SecretString::from("planted-token"));
    Transport::new(base, Arc::new(move || Ok(Arc::clone(&token)))).unwrap()
}

const OK: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 7\r\n\r\n{\"a\":1}";
const BUSY: &str = "HTTP/1.1 503 Busy\r\nConnection: close\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\n{}";
const BROKEN: &str = "HTTP/1.1 500 Broken\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn a_call_names_its_service_and_its_request() {
    let server = scripted(&[OK]);
    let context = TraceContext {
        request_id: RequestId::parse(b"req-7").unwrap(),
        traceparent: coffer_api::trace::Traceparent::parse(
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
    };
    let headers = context.enter(|| transport(&server.base).headers()).unwrap();
    assert!(headers[AUTHORIZATION].is_sensitive());
    assert_eq!(headers["x-request-id"], "req-7");
    assert!(headers["traceparent"].to_str().unwrap().starts_with("00-4bf9"));

    let answer: Value = transport(&server.base).call("/x", &json!({ "b": 2 }), TIMEOUT).await.unwrap();
    assert_eq!(answer, json!({ "a": 1 }));
    let asked = server.asked.join().unwrap().remove(0);
    assert!(asked.starts_with("POST /x HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("Bearer planted-token") && asked.ends_with("{\"b\":2}"), "{asked}");
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_said_so() {
    let server = scripted(&[BUSY, BUSY, OK]);
    let answer: Value = transport(&server.base).call("/x", &json!({}), TIMEOUT).await.unwrap();
    assert_eq!(answer, json!({ "a": 1 }));
    assert_eq!(server.asked.join().unwrap().len(), 3);
}

#[tokio::test]
async fn a_server_that_stays_busy_is_unavailable() {
    let server = scripted(&[BUSY, BUSY, BUSY]);
    let error = transport(&server.base).call::<Value>("/x", &json!({}), TIMEOUT).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_broken_is_not_asked_again() {
    let server = scripted(&[BROKEN]);
    let error = transport(&server.base).call::<Value>("/x", &json!({}), TIMEOUT).await.unwrap_err();
    assert!(matches!(error, ClientError::Refused(refusal) if refusal.status == 500));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_no_secret_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = transport(&base).call::<Value>("/x", &json!({}), TIMEOUT).await.unwrap_err();
    assert!(error.is_unavailable());
    assert!(!format!("{error:?}").contains("planted"));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_after_the_time_of_the_call() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let started = Instant::now();
    let timeout = Duration::from_millis(200);
    let error = transport(&base).call::<Value>("/x", &json!({}), timeout).await.unwrap_err();
    assert!(matches!(error, ClientError::Lost { .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(2));
}
