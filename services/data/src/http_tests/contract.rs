//! Every row of the file contract's data service.

use coffer_api::internal::Access;
use coffer_core::limits::BLOB_PART_BYTES;
use coffer_kms_link::testing::user;
use serde_json::{Value, json};

use super::client::{Server, send, token, upload_body};
use crate::base64;

const ANN: Option<&str> = Some("ann");

fn found(number: u64) -> Access {
    Access::Found { space: user(number), expires_at: None }
}

fn encoded(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    base64::encode(bytes, &mut text);
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn what_is_uploaded_is_downloaded_and_listed() {
    let server = Server::start().await;
    assert_eq!(
        server.upload(ANN, "報告 2026.bin", "aGVsbG8=").await.outcome(),
        (200, "upload_success".into())
    );
    let answer = server.get("/download?file_name=%E5%A0%B1%E5%91%8A%202026.bin", ANN).await;
    let expected = json!({
        "code": 200, "encrypted_data": "aGVsbG8=", "encrypted_aes_key": "a2V5",
        "encrypted_aes_initial_vector": "dmVjdG9y",
    });
    assert_eq!((answer.status, answer.json()), (200, expected));
    let list = server.get("/list_files", ANN).await;
    let expected = json!({ "code": 200, "files": ["報告 2026.bin"], "message": "list_files_success" });
    assert_eq!((list.status, list.json()), (200, expected));
    let empty = server.get("/list_files", Some("bob")).await;
    assert_eq!(empty.json()["files"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_large_file_comes_back_whole_and_as_long_as_announced() {
    let server = Server::start().await;
    let data: Vec<u8> = (0..2 * BLOB_PART_BYTES + 77).map(|i| u8::try_from(i * 7 % 253).unwrap()).collect();
    let text = encoded(&data);
    assert_eq!(server.upload(ANN, "large", &text).await.status, 200);
    let answer = server.get("/download?file_name=large", ANN).await;
    assert_eq!(answer.header("content-length").unwrap(), answer.body.len().to_string());
    assert!(answer.json()["encrypted_data"] == text.as_str());
    server.stop().await;
}

#[tokio::test]
async fn a_large_file_of_which_a_part_is_lost_is_not_taken_for_whole() {
    let server = Server::start().await;
    let text = encoded(&vec![1; 3 * BLOB_PART_BYTES]);
    assert_eq!(server.upload(ANN, "large", &text).await.status, 200);
    server.blobs.parts.lock().unwrap().retain(|(_, part), _| *part != 1);
    let answer = server.get("/download?file_name=large", ANN).await;
    let announced: usize = answer.header("content-length").unwrap().parse().unwrap();
    assert!(answer.body.len() < announced);
    server.stop().await;
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let server = Server::start().await;
    server.upload(ANN, "f", "AAAA").await;
    assert_eq!(server.upload(ANN, "f", "BBBB").await.outcome(), (409, "file_exists".into()));
    assert_eq!(server.upload(Some("bob"), "f", "CCCC").await.status, 200, "another owner's name is another");
    assert_eq!(server.get("/download?file_name=f", ANN).await.json()["encrypted_data"], "AAAA");
    server.stop().await;
}

#[tokio::test]
async fn an_empty_field_is_missing() {
    let server = Server::start().await;
    for field in ["file_name", "encrypted_data", "encrypted_aes_key", "encrypted_aes_initial_vector"] {
        let mut body = upload_body("f", "AAAA");
        body[field] = "".into();
        let answer = server.post("/upload", ANN, body.to_string().as_bytes()).await;
        assert_eq!(answer.outcome(), (400, "missing_fields".into()), "{field}");
    }
    assert_eq!(server.get("/list_files", ANN).await.json()["files"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_field_that_is_absent_or_wrong_is_named() {
    let server = Server::start().await;
    let fields = ["file_name", "encrypted_data", "encrypted_aes_key", "encrypted_aes_initial_vector"];
    for field in fields {
        let mut body = upload_body("f", "AAAA");
        body.as_object_mut().unwrap().remove(field);
        let answer = server.post("/upload", ANN, body.to_string().as_bytes()).await;
        assert_eq!(answer.wrong(), (422, "missing".into(), json!(["body", field])));
        assert_eq!(answer.json()["detail"][0]["msg"], "Field required");
        body[field] = 7.into();
        let answer = server.post("/upload", ANN, body.to_string().as_bytes()).await;
        assert_eq!(answer.wrong(), (422, "string_type".into(), json!(["body", field])));
    }
    for field in &fields[1..] {
        for wrong in ["AA", "A===", "AA-_", "AAAA\n", "\u{5831}"] {
            let mut body = upload_body("f", "AAAA");
            body[*field] = wrong.into();
            let answer = server.post("/upload", ANN, body.to_string().as_bytes()).await;
            let (status, _, place) = answer.wrong();
            assert_eq!((status, place), (422, json!(["body", field])), "{wrong:?}");
        }
    }
    for name in ["/etc/passwd", "../x", "a\\b", "a\0b", &"x".repeat(1025)] {
        let body = upload_body(name, "AAAA").to_string();
        let (status, _, place) = server.post("/upload", ANN, body.as_bytes()).await.wrong();
        assert_eq!((status, place), (422, json!(["body", "file_name"])), "{name:?}");
    }
    let mut body = upload_body("f", "AAAA");
    body["encrypted_aes_key"] = encoded(&[0; 4097]).into();
    let (status, _, place) = server.post("/upload", ANN, body.to_string().as_bytes()).await.wrong();
    assert_eq!((status, place), (422, json!(["body", "encrypted_aes_key"])));
    assert_eq!(server.get("/list_files", ANN).await.json()["files"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let server = Server::start().await;
    for (body, kind) in [
        ("", "missing"),
        ("{", "json_invalid"),
        ("[]", "model_attributes_type"),
        ("{\"a\":\"\u{0}\"}", "json_invalid"),
    ] {
        let (status, found, _) = server.post("/upload", ANN, body.as_bytes()).await.wrong();
        assert_eq!((status, found.as_str()), (422, kind), "{body:?}");
    }
    let (status, found, place) = server.post("/upload", ANN, b"{\"file_name\":\"\xff\"}").await.wrong();
    assert_eq!((status, found.as_str(), place), (422, "string_unicode", json!(["body", "file_name"])));
    server.stop().await;
}

#[tokio::test]
async fn a_name_that_means_nothing_is_not_found_and_one_that_was_taken_back_is_denied() {
    let server = Server::start().await;
    let answer = server.get("/download?file_name=f", ANN).await;
    assert_eq!(answer.outcome(), (404, "file_not_found".into()));
    server.kms.set_access("f", None, Access::Denied);
    let answer = server.get("/download?file_name=f", ANN).await;
    assert_eq!(answer.outcome(), (403, "access_denied".into()));
    server.stop().await;
}

#[tokio::test]
async fn a_download_names_its_wrong_parameter() {
    let server = Server::start().await;
    for (query, place) in [
        ("", json!(["query", "file_name"])),
        ("?file_name=", json!(["query", "file_name"])),
        ("?file_name=..%2Fx", json!(["query", "file_name"])),
        ("?file_name=f&owner=nobody", json!(["query", "owner"])),
    ] {
        let (status, _, found) = server.get(&format!("/download{query}"), ANN).await.wrong();
        assert_eq!((status, found), (422, place), "{query:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_owner_overrides_what_a_name_means() {
    let server = Server::start().await;
    server.upload(ANN, "f", "AAAA").await;
    server.upload(Some("bob"), "f", "BBBB").await;
    server.kms.set_access("f", Some("bob@example.com"), found(2));
    let of = async |query: &str| server.get(&format!("/download?file_name=f{query}"), ANN).await;
    assert_eq!(of("").await.json()["encrypted_data"], "AAAA");
    assert_eq!(of("&owner=bob@example.com").await.json()["encrypted_data"], "BBBB");
    let mut body = upload_body("g", "AAAA");
    body["owner"] = "bob@example.com".into();
    let answer = server.post("/upload", ANN, body.to_string().as_bytes()).await;
    assert_eq!(answer.outcome(), (403, "access_denied".into()));
    server.stop().await;
}

#[tokio::test]
async fn without_a_live_session_nothing_is_served() {
    let server = Server::start().await;
    for session in [None, Some("nobody"), Some("too long to be a token of ours, by a few characters")] {
        let body = upload_body("f", "AAAA").to_string();
        for answer in [
            server.post("/upload", session, body.as_bytes()).await,
            server.get("/download?file_name=f", session).await,
            server.get("/list_files", session).await,
        ] {
            assert_eq!(answer.outcome(), (401, "invalid_session".into()));
        }
        let native = server.get("/api/v1/files", session).await;
        assert_eq!((native.status, native.json()["code"].clone()), (401, json!("invalid_session")));
    }
    let bearer = format!("GET /list_files HTTP/1.1\r\nAuthorization: Bearer {}\r\n", token("ann"));
    assert_eq!(send(server.public, &bearer, b"").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_one_at_it_is_not() {
    let at_limit = upload_body("f", &"A".repeat(4000)).to_string();
    let limit = std::num::NonZeroUsize::new(at_limit.len()).unwrap();
    let server = Server::start_with(|settings| settings.limits.upload_body_bytes_max = limit).await;
    let over = upload_body("g", &"A".repeat(4004)).to_string();
    let answer = server.post("/upload", ANN, over.as_bytes()).await;
    assert_eq!(answer.outcome(), (413, "body_too_large".into()));
    assert_eq!(server.post("/upload", ANN, at_limit.as_bytes()).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn another_method_is_not_allowed() {
    let server = Server::start().await;
    for (answer, allow) in
        [(server.get("/upload", ANN).await, "POST"), (server.post("/download", ANN, b"").await, "GET")]
    {
        assert_eq!((answer.status, answer.json()), (405, json!({ "detail": "Method Not Allowed" })));
        assert_eq!(answer.header("allow"), Some(allow));
    }
    server.stop().await;
}

#[tokio::test]
async fn with_shared_names_nobody_needs_a_session_and_all_have_one_name_space() {
    let server = Server::start_with(|settings| settings.files.shared_names = true).await;
    assert_eq!(server.upload(None, "f", "AAAA").await.status, 200);
    assert_eq!(server.upload(ANN, "f", "BBBB").await.outcome(), (409, "file_exists".into()));
    assert_eq!(server.get("/download?file_name=f", None).await.json()["encrypted_data"], "AAAA");
    assert_eq!(server.get("/list_files", None).await.json()["files"], json!(["f"]));
    assert_eq!(server.get("/download?file_name=g", None).await.outcome().0, 404);
    server.stop().await;
}

#[tokio::test]
async fn files_are_listed_natively_in_pages() {
    let server = Server::start().await;
    for name in ["a", "b", "c/d", "報"] {
        server.upload(ANN, name, "AAAA").await;
    }
    let first = server.get("/api/v1/files?limit=3", ANN).await.json();
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items.iter().map(|item| item["file_name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&first), ["a", "b", "c/d"]);
    assert_eq!(first["items"][0]["size_bytes"], 3);
    assert_eq!(first["items"][0]["created_at"], "2023-11-14T22:13:20.000Z");
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = server.get(&format!("/api/v1/files?limit=3&cursor={cursor}"), ANN).await.json();
    assert_eq!(names(&second), ["報"]);
    assert_eq!(second.get("next_cursor"), None);
    assert_eq!(names(&server.get("/api/v1/files?prefix=c/", ANN).await.json()), ["c/d"]);
    let wrong = server.get("/api/v1/files?cursor=%3F", ANN).await;
    assert_eq!((wrong.status, wrong.json()["errors"][0]["field"].clone()), (422, json!("cursor")));
    server.stop().await;
}
