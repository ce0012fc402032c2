//! `/upload`, `/download` and `/list_files`.

use coffer_tests::{Curl, Stack, envelope};
use serde_json::{Value, json};

#[tokio::test]
async fn what_was_uploaded_is_downloaded_in_all_its_parts() {
    let stack = Stack::all().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    for (name, size) in [("small", 10), ("inline", 65_536), ("blob", 65_537), ("three parts", 2_200_000)] {
        let data: Vec<u8> = (0..size).map(|index: u32| index.to_le_bytes()[(index % 4) as usize]).collect();
        surface.store(&ann.sid, name, &data).await;
        let answer = surface.download(&ann.sid, name).await.expect_status(200);
        let mut expected = envelope(name, &data);
        expected.as_object_mut().expect("an object").remove("file_name");
        expected["code"] = json!(200);
        let mut given = answer.json();
        given.as_object_mut().expect("an object").retain(|field, _| field != "message");
        assert!(given == expected, "{name}: {answer}");
    }
}

#[tokio::test]
async fn a_name_is_uploaded_once() {
    let stack = Stack::all().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    for (name, first) in [("small", vec![1; 10]), ("large", vec![2; 100_000])] {
        surface.store(&ann.sid, name, &first).await;
        surface.upload(&ann.sid, name, b"second").await.expect(409, 409, "file_exists");
        assert_eq!(surface.download(&ann.sid, name).await.data(), first);
    }
}

#[tokio::test]
async fn an_empty_field_is_missing_and_an_absent_one_invalid() {
    let stack = Stack::all().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    let url = stack.data_url("/upload");
    for field in ["file_name", "encrypted_data", "encrypted_aes_key", "encrypted_aes_initial_vector"] {
        let mut body = envelope("a", b"content");
        body[field] = json!("");
        surface.http.post_as(&ann.sid, &url, body.clone()).await.expect(400, 400, "missing_fields");
        body.as_object_mut().expect("an object").remove(field);
        let answer = surface.http.post_as(&ann.sid, &url, body).await.expect_status(422).json();
        assert_eq!(answer["detail"][0]["loc"], json!(["body", field]));
        assert_eq!(answer["detail"][0]["type"], "missing");
        assert_eq!(answer["detail"][0]["msg"], "Field required");
    }
    assert!(surface.list(&ann.sid).await.is_empty());
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_found() {
    let stack = Stack::all().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    surface.download(&ann.sid, "unknown").await.expect(404, 404, "file_not_found");
    let answer = surface.http.get_as(&ann.sid, &stack.data_url("/download")).await.expect_status(422);
    assert_eq!(answer.json()["detail"][0]["loc"], json!(["query", "file_name"]));
    // Made, but never uploaded.
    surface.public_key(&ann.sid, "unfinished").await;
    surface.download(&ann.sid, "unfinished").await.expect(404, 404, "file_not_found");
}

#[tokio::test]
async fn the_list_is_ones_own_and_shared_files() {
    let stack = Stack::all().start().await;
    let (surface, ann, ben) = (stack.surface(), stack.user("ann").await, stack.user("ben").await);
    assert!(surface.list(&ann.sid).await.is_empty());
    for name in ["b", "報告 2026.bin", "folder/a"] {
        surface.store(&ann.sid, name, b"x").await;
    }
    surface.store(&ben.sid, "of ben", b"x").await;
    surface.public_key(&ann.sid, "never uploaded").await;
    surface.grant(&ben.sid, "of ben", &ann.email).await;
    assert_eq!(surface.list(&ann.sid).await, ["b", "folder/a", "of ben", "報告 2026.bin"]);
    assert_eq!(surface.list(&ben.sid).await, ["of ben"]);
    surface.revoke(&ben.sid, "of ben", &ann.email).await;
    coffer_tests::until("the list forgets it", std::time::Duration::from_secs(2), || async {
        surface.list(&ann.sid).await == ["b", "folder/a", "報告 2026.bin"]
    })
    .await;
}

#[tokio::test]
async fn everything_on_the_data_service_needs_a_session() {
    let stack = Stack::all().start().await;
    let surface = stack.surface();
    let body = envelope("a", b"content");
    for headers in [vec![], vec![("sid", "unknown")], vec![("authorization", "Bearer unknown")]] {
        let send = async |method: &str, path: &str, body: Option<Value>| {
            let body = body.map(|body| body.to_string().into_bytes());
            surface.http.send_raw(method, &stack.data_url(path), &headers, body).await
        };
        send("POST", "/upload", Some(body.clone())).await.expect(401, 401, "invalid_session");
        send("GET", "/download?file_name=a", None).await.expect(401, 401, "invalid_session");
        send("GET", "/list_files", None).await.expect(401, 401, "invalid_session");
    }
}

#[tokio::test]
async fn a_session_travels_as_sid_or_as_a_bearer_token() {
    let stack = Stack::all().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    surface.store(&ann.sid, "a", b"content").await;
    let bearer = format!("Bearer {}", ann.sid);
    let headers = [("authorization", bearer.as_str())];
    let url = stack.data_url("/download?file_name=a");
    assert_eq!(surface.http.send_raw("GET", &url, &headers, None).await.data(), b"content");
}

#[tokio::test]
async fn a_grantee_downloads_but_does_not_upload() {
    let stack = Stack::all().start().await;
    let (surface, ann, ben) = (stack.surface(), stack.user("ann").await, stack.user("ben").await);
    surface.store(&ann.sid, "a", b"content").await;
    surface.grant(&ann.sid, "a", &ben.email).await;
    assert_eq!(surface.download(&ben.sid, "a").await.data(), b"content");
    let mut body = envelope("a", b"other");
    body["owner"] = json!(ann.email);
    let answer = surface.http.post_as(&ben.sid, &stack.data_url("/upload"), body).await;
    answer.expect(403, 403, "access_denied");
    assert_eq!(surface.download(&ann.sid, "a").await.data(), b"content");
    // Only now does the service serve from memory: the grant's own event made it forget.
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    assert_eq!(surface.download(&ben.sid, "a").await.data(), b"content");
    surface.revoke(&ann.sid, "a", &ben.email).await;
    coffer_tests::until("the friend is refused", std::time::Duration::from_secs(2), || async {
        surface.download(&ben.sid, "a").await.status == 403
    })
    .await;
    surface.download(&ben.sid, "a").await.expect(403, 403, "access_denied");
}

#[tokio::test]
async fn an_owner_who_names_himself_uploads_as_one_who_does_not() {
    let stack = Stack::all().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    surface.public_key(&ann.sid, "with a key").await;
    for name in ["with a key", "without one"] {
        let mut body = envelope(name, b"content");
        body["owner"] = json!(ann.email);
        let answer = surface.http.post_as(&ann.sid, &stack.data_url("/upload"), body).await;
        answer.expect(200, 200, "upload_success");
    }
    let mut body = envelope("of nobody", b"content");
    body["owner"] = json!("nobody@example.com");
    let answer = surface.http.post_as(&ann.sid, &stack.data_url("/upload"), body).await;
    answer.expect(403, 403, "access_denied");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_one_at_the_default_limit_is_not() {
    let stack = Stack::all().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    // 45 MiB become 60 MiB of base64; 49 MiB become 65.3 MiB.
    surface.store(&ann.sid, "fits", &vec![7; 45 << 20]).await;
    assert_eq!(surface.download(&ann.sid, "fits").await.data().len(), 45 << 20);
    // The answer comes before the body has been sent; `curl` looks for it while it sends.
    let curl = Curl::new(&stack.directory().join("client"));
    let body = envelope("too large", &vec![7; 49 << 20]);
    let (status, answer) = curl.post(&stack.data_url("/upload"), &ann.sid, &body).await;
    assert_eq!(status, 413, "{answer}");
    assert_eq!(surface.list(&ann.sid).await, ["fits"]);
}
