//! Bodies that are wrong as a whole: no JSON, too large, too slow.

use std::time::Duration;

use coffer_tests::Stack;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::endpoints::{Shape, all};

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused_everywhere() {
    let stack = Stack::all().start().await;
    let ann = stack.user("ann").await;
    let surface = stack.surface();
    let deep = format!("{{\"email\":{}", "[".repeat(100_000));
    let bodies: [&[u8]; 9] = [
        b"",
        b"{",
        b"nonsense",
        b"[]",
        b"\"text\"",
        b"null",
        b"{\"email\":\"\xff\xfe@example.com\",\"file_name\":\"\xff\",\"name\":\"\xff\"}",
        b"{\"email\":\"\\ud800@example.com\",\"file_name\":\"\\ud800\",\"name\":\"\\ud800\"}",
        deep.as_bytes(),
    ];
    for endpoint in all(&stack, &ann) {
        for body in bodies {
            let headers = [("sid", ann.sid.as_str())];
            let answer =
                surface.http.send_raw(endpoint.method, &endpoint.url, &headers, Some(body.to_vec())).await;
            let start = String::from_utf8_lossy(&body[..body.len().min(80)]);
            let what = format!("{} with {start:?}: {answer}", endpoint.url);
            assert!(matches!(answer.status, 400 | 413 | 422), "{what}");
            if endpoint.shape == Shape::Detail && answer.status == 422 {
                assert!(answer.json()["detail"][0]["loc"][0] == "body", "{what}");
            }
            if endpoint.shape == Shape::Detail && body == b"nonsense" {
                assert_eq!(answer.json()["detail"][0]["type"], "json_invalid", "{what}");
            }
        }
    }
    assert!(surface.list(&ann.sid).await.is_empty());
}

#[tokio::test]
async fn a_list_of_an_objects_values_is_no_object() {
    let stack = Stack::all().start().await;
    let ann = stack.user("ann").await;
    let surface = stack.surface();
    for endpoint in all(&stack, &ann) {
        // The fields stand in the order in which the service declares them.
        let values: Vec<_> = endpoint.fields.iter().map(|(field, _)| endpoint.good[*field].clone()).collect();
        let body = serde_json::Value::from(values);
        let answer = surface.http.send(endpoint.method, &endpoint.url, Some(&ann.sid), Some(&body)).await;
        let what = format!("{} with {body}: {answer}", endpoint.url);
        assert_eq!(answer.status, 422, "{what}");
        let json = answer.json();
        let (found, expected) = match endpoint.shape {
            Shape::Detail => (&json["detail"][0]["type"], "model_attributes_type"),
            Shape::Problem => (&json["errors"][0]["field"], "body"),
        };
        assert_eq!(found, expected, "{what}");
    }
    assert!(surface.list(&ann.sid).await.is_empty());
    assert!(stack.mailbox.messages("new@example.com").await.is_empty());
}

#[tokio::test]
async fn a_wrong_method_is_told_in_the_contracts_words() {
    let stack = Stack::all().start().await;
    let surface = stack.surface();
    for path in
        ["/register", "/verify_register", "/login", "/verify_login", "/get_public_key", "/get_private_key"]
    {
        let answer = surface.http.get(&stack.kms_url(path)).await.expect_status(405);
        assert_eq!(answer.json(), json!({ "detail": "Method Not Allowed" }), "{path}");
    }
    for (method, path) in [("GET", "/upload"), ("POST", "/download"), ("POST", "/list_files")] {
        let answer = surface.http.send_raw(method, &stack.data_url(path), &[], None).await.expect_status(405);
        assert_eq!(answer.json(), json!({ "detail": "Method Not Allowed" }), "{path}");
    }
}

#[tokio::test]
async fn an_oversized_body_is_refused_on_the_kms() {
    let stack = Stack::all().start().await;
    let ann = stack.user("ann").await;
    let surface = stack.surface();
    let body = format!("{{\"padding\":\"{}\"}}", "x".repeat(80 << 20)).into_bytes();
    let headers = [("sid", ann.sid.as_str())];
    for path in ["/register", "/get_public_key", "/api/v1/registrations"] {
        let sent = surface.http.try_send("POST", &stack.kms_url(path), &headers, Some(body.clone())).await;
        // A server may also stop reading: then the connection ends before the answer is read.
        if let Ok(answer) = sent {
            assert_eq!(answer.status, 413, "{path}: {answer}");
        }
    }
    stack.ready().await;
}

/// Sends the head of a request and then a byte now and then; gives the answer's first line, empty if the
/// connection was closed without one.
async fn trickle(address: &str, path: &str, sid: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the service listens");
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nsid: {sid}\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.expect("the head is accepted");
    let (mut reader, mut writer) = stream.into_split();
    let drip = tokio::spawn(async move {
        while writer.write_all(b" ").await.is_ok() {
            sleep(Duration::from_millis(200)).await;
        }
    });
    let mut answer = [0; 64];
    let read = timeout(Duration::from_secs(20), reader.read(&mut answer)).await;
    drip.abort();
    let length = read.expect("a slow body does not hold a connection for ever").unwrap_or(0);
    String::from_utf8_lossy(&answer[..length]).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_slow_body_is_ended_in_time() {
    let stack = Stack::all().set_both("HTTP__BODY_DEADLINE_S", "2").start().await;
    let ann = stack.user("ann").await;
    let host = |url: &str| url.trim_start_matches("http://").to_owned();
    for (url, path) in [(&stack.kms[0].url, "/register"), (&stack.data[0].url, "/upload")] {
        let started = Instant::now();
        let first_line = trickle(&host(url), path, &ann.sid).await;
        assert!(first_line.is_empty() || first_line.starts_with("HTTP/1.1 408"), "{path}: {first_line}");
        // Sooner than the grace of the rate, so it was the deadline.
        assert!(started.elapsed() < Duration::from_secs(5), "{path}: {:?}", started.elapsed());
    }
    stack.ready().await;
}
