//! Requests that are wrong, too large, too slow or too many.

use std::time::Duration;

use coffer_server::settings::HttpSettings;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::{Answer, PASSED_BYTES_MAX, ask, get, post, raw, read, run, settings};

fn detail(answer: &Answer) -> Vec<(String, Value)> {
    assert_eq!(answer.status, 422, "{answer:?}");
    let body = answer.json();
    let detail = body["detail"].as_array().unwrap();
    detail.iter().map(|e| (e["type"].as_str().unwrap().to_owned(), e["loc"].clone())).collect()
}

fn one(kind: &str, loc: Value) -> Vec<(String, Value)> {
    vec![(kind.to_owned(), loc)]
}

#[tokio::test]
async fn a_contract_body_that_is_wrong_is_explained_field_by_field() {
    let running = run(&settings()).await;
    let public = running.services()[0].public;
    let login = async |body: &str| detail(&post(public, "/login", body).await);
    assert_eq!(post(public, "/login", r#"{"email":"A@x.com","password":"p","x":1}"#).await.status, 200);
    assert_eq!(login("").await, one("missing", json!(["body"])));
    assert_eq!(login("{").await, one("json_invalid", json!(["body", 0])));
    assert_eq!(login(r#"{"email":"a@x.com"}"#).await, one("missing", json!(["body", "password"])));
    assert_eq!(login(r#"{"email":1,"password":"p"}"#).await, one("string_type", json!(["body", "email"])));
    assert_eq!(login(r#"{"email":"a","password":"p"}"#).await, one("value_error", json!(["body", "email"])));
    let long = format!(r#"{{"email":"a@x.com","password":"{}"}}"#, "p".repeat(73));
    assert_eq!(login(&long).await, one("string_too_long", json!(["body", "password"])));
    let upload =
        r#"{"file_name":"a","encrypted_data":"?","encrypted_aes_key":"","encrypted_aes_initial_vector":""}"#;
    let answer = post(public, "/upload", upload).await;
    assert_eq!(detail(&answer), one("value_error", json!(["body", "encrypted_data"])));
    running.stop().await;
}

#[tokio::test]
async fn a_secret_in_a_refused_body_is_not_echoed() {
    let running = run(&settings()).await;
    let public = running.services()[0].public;
    for body in [
        r#"{"password":"planted"}"#,
        r#"{"email":"a@x.com","password":["planted"]}"#,
        r#"{"email":"a@x.com","pasword":"planted"}"#,
        r#"["planted"]"#,
        r#"{"password":"planted""#,
    ] {
        let answer = post(public, "/login", body).await;
        assert_eq!(answer.status, 422);
        assert!(!answer.body.contains("planted"), "{answer:?}");
    }
    let answer = post(public, "/api/v1/things", r#"{"name":"a","size":"planted"}"#).await;
    assert!(!answer.body.contains("planted"), "{answer:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_body_is_passed_on_whole_up_to_its_own_limit_however_it_is_sent() {
    let running = run(&settings()).await;
    let public = running.services()[0].public;
    let whole = "x".repeat(PASSED_BYTES_MAX);
    let passed = async |body: &str| ask(public, "POST /api/v1/passed", &[], body).await;
    assert_eq!(passed("").await.body, "nothing");
    assert_eq!(passed(&whole).await.body, PASSED_BYTES_MAX.to_string());
    assert_eq!(passed(&format!("{whole}x")).await.status, 413);
    let chunked = async |length: usize| {
        let head = "POST /api/v1/passed HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
        let body = format!("{length:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(length));
        raw(public, [head.as_bytes(), body.as_bytes()].concat().as_slice()).await
    };
    assert!(chunked(PASSED_BYTES_MAX).await.body.contains(&PASSED_BYTES_MAX.to_string()));
    assert_eq!(chunked(PASSED_BYTES_MAX + 1).await.status, 413);
    running.stop().await;
}

#[tokio::test]
async fn invalid_utf_8_is_a_clients_mistake_everywhere() {
    let running = run(&settings()).await;
    let public = running.services()[0].public;
    let mut request =
        b"POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 13\r\n\r\n".to_vec();
    request.extend(b"{\"email\":\"\xff\"}");
    assert_eq!(detail(&raw(public, &request).await), one("string_unicode", json!(["body", "email"])));
    let answer = get(public, "/download?file_name=%ff").await;
    assert_eq!(detail(&answer), one("string_unicode", json!(["query", "file_name"])));
    let name = get(public, "/download?file_name=%E5%A0%B1%E5%91%8A+2026.bin").await;
    assert_eq!(name.json()["file_name"], "報告 2026.bin");
    assert_eq!(detail(&get(public, "/download").await), one("missing", json!(["query", "file_name"])));
    let answer = get(public, "/download?file_name=..%2Fx").await;
    assert_eq!(detail(&answer), one("value_error", json!(["query", "file_name"])));
    running.stop().await;
}

#[tokio::test]
async fn a_native_request_that_is_wrong_names_its_field() {
    let running = run(&settings()).await;
    let public = running.services()[0].public;
    let field = async |answer: Answer| {
        let body = answer.json();
        (answer.status, body["code"].as_str().unwrap().to_owned(), body["errors"][0]["field"].clone())
    };
    let invalid = |name: &str| (422, "invalid_input".to_owned(), json!(name));
    assert_eq!(field(post(public, "/api/v1/things", r#"{"name":"a"}"#).await).await, invalid("size"));
    let unknown = r#"{"name":"a","size":1,"other":2}"#;
    assert_eq!(field(post(public, "/api/v1/things", unknown).await).await, invalid("other"));
    assert_eq!(field(get(public, "/api/v1/things?name=a&size=x").await).await, invalid("size"));
    assert_eq!(field(get(public, "/api/v1/things/not-an-id").await).await, invalid("path"));
    let answer = post(public, "/api/v1/things", "{").await;
    assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("bad_request")));
    let answer = ask(public, "POST /api/v1/things", &["Content-Type: text/plain"], "{}").await;
    assert_eq!(answer.status, 415);
    running.stop().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_announced_or_not() {
    let running = run(&HttpSettings { body_bytes_max: 100_000, ..settings() }).await;
    let public = running.services()[0].public;
    let refused = json!({ "code": 413, "message": "body_too_large" });
    let answer = post(public, "/login", &"x".repeat(100_001)).await;
    assert_eq!((answer.status, answer.json()), (413, refused.clone()));
    let mut chunked = b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..20 {
        chunked.extend(format!("2000\r\n{}\r\n", "x".repeat(0x2000)).bytes());
    }
    let answer = raw(public, &chunked).await;
    assert_eq!((answer.status, answer.json()), (413, refused));
    let answer = post(public, "/api/v1/things", &"x".repeat(100_001)).await;
    assert_eq!((answer.status, &answer.json()["code"]), (413, &json!("body_too_large")));
    running.stop().await;
}

#[tokio::test]
async fn nobody_holds_a_connection_by_a_body_that_is_not_read_to_its_end() {
    let running = run(&settings()).await;
    let public = running.services()[0].public;
    for line in ["POST /api/v1/me", "GET /login", "POST /nowhere", "GET /api/v1/me"] {
        let request = format!("{line} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc");
        let answer = tokio::time::timeout(Duration::from_secs(5), raw(public, request.as_bytes())).await;
        assert!((400..500).contains(&answer.unwrap().status), "{line}");
    }
    running.stop().await;
}

#[tokio::test]
async fn an_answer_to_a_much_larger_body_still_arrives() {
    let running = run(&HttpSettings { body_bytes_max: 1000, ..settings() }).await;
    let answer = post(running.services()[0].public, "/login", &"x".repeat(20_000_000)).await;
    assert_eq!(answer.status, 413);
    running.stop().await;
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_given_up() {
    let running = run(&HttpSettings { body_deadline_s: 1, ..settings() }).await;
    let mut stream = TcpStream::connect(running.services()[0].public).await.unwrap();
    stream.write_all(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{").await.unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(10), read(stream)).await.unwrap();
    assert_eq!((answer.status, answer.json()), (408, json!({ "code": 408, "message": "request_timeout" })));
    running.stop().await;
}

#[tokio::test]
async fn who_sent_everything_in_time_is_not_found_slow_because_the_thread_was_busy() {
    let running = run(&HttpSettings { body_deadline_s: 2, ..settings() }).await;
    let public = running.services()[0].public;
    let body = r#"{"name":"a","size":1}"#;
    let head = format!(
        "POST /api/v1/things HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
        Content-Length: {}\r\n\r\n",
        body.len()
    );
    // Seen before the thread is held: nothing of a head, the half of one, a head, and the half of a body.
    let whole = [&head, body].concat();
    let mut clients = Vec::new();
    for sent in [0, head.len() / 2, head.len(), head.len() + body.len() / 2] {
        let mut stream = TcpStream::connect(public).await.unwrap();
        stream.write_all(&whole.as_bytes()[..sent]).await.unwrap();
        clients.push((stream, sent));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let holding = tokio::spawn(async move { get(public, "/api/v1/hold_thread").await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    for (stream, sent) in &mut clients {
        stream.write_all(&whole.as_bytes()[*sent..]).await.unwrap();
    }
    let mut late = TcpStream::connect(public).await.unwrap();
    late.write_all(whole.as_bytes()).await.unwrap();
    clients.push((late, whole.len()));
    for (stream, sent) in clients {
        let answer = read(stream).await;
        assert_eq!(answer.status, 200, "{sent} bytes before: {answer:?}");
    }
    assert_eq!(holding.await.unwrap().body, "done");
    running.stop().await;
}

#[tokio::test]
async fn large_bodies_together_are_bounded() {
    let limits =
        HttpSettings { body_bytes_max: 4_000_000, bodies_in_flight_bytes_max: 1_000_000, ..settings() };
    let running = run(&limits).await;
    let public = running.services()[0].public;
    let upload = |bytes: usize| {
        let data = "A".repeat(bytes / 4 * 4);
        json!({ "file_name": "a", "encrypted_data": data, "encrypted_aes_key": "", "encrypted_aes_initial_vector": "" })
            .to_string()
    };
    let answer = post(public, "/upload", &upload(2_000_000)).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{answer:?}");

    // One body that has arrived in part holds its share; a second one does not fit beside it.
    let mut half = TcpStream::connect(public).await.unwrap();
    let body = upload(900_000);
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    half.write_all(head.as_bytes()).await.unwrap();
    half.write_all(&body.as_bytes()[..850_000]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(post(public, "/upload", &upload(400_000)).await.status, 503);
    assert_eq!(post(public, "/upload", &upload(1000)).await.status, 200);
    half.write_all(&body.as_bytes()[850_000..]).await.unwrap();
    assert_eq!(read(half).await.json()["bytes"], 675_000);
    assert_eq!(post(public, "/upload", &upload(400_000)).await.status, 200);
    running.stop().await;
}
