use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_api::Role;
use serde_json::{Value, json};

use super::server::{Answer, Server};

fn pem(answer: &Answer, field: &str) -> String {
    let text = answer.json()[field].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
    String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
}

fn said(code: u64, message: &str) -> (u16, u64, String) {
    (200, code, message.to_owned())
}

#[tokio::test]
async fn the_public_key_comes_as_base64_of_pem_again_until_the_file_is_uploaded() {
    let server = Server::start().await;
    let ann = server.user("ann", Role::Employee, true).await;
    let body = json!({ "file_name": "報告 2026.bin" });
    let first = server.post("/get_public_key", Some("ann"), body.clone()).await;
    assert_eq!(first.outcome(), said(200, "public_key_saved"));
    assert!(pem(&first, "kms_public_key").starts_with("-----BEGIN PUBLIC KEY-----\n"));
    let again = server.post("/get_public_key", Some("ann"), body.clone()).await;
    assert_eq!(again.json(), first.json());
    server.uploads.add(ann, "報告 2026.bin");
    let done = server.post("/get_public_key", Some("ann"), body).await;
    assert_eq!(done.outcome(), said(400, "file_exists"));
    assert_eq!(done.json().as_object().unwrap().len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn the_private_key_is_for_the_owner_and_whom_the_owner_lets_read() {
    let server = Server::start().await;
    for name in ["ann", "bob"] {
        server.user(name, Role::Contractor, true).await;
    }
    let body = json!({ "file_name": "a" });
    server.post("/get_public_key", Some("ann"), body.clone()).await;
    let own = server.post("/get_private_key", Some("ann"), body.clone()).await;
    assert_eq!(own.outcome(), said(200, "private_key_retrieved"));
    assert!(pem(&own, "kms_private_key").starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
    let denied = server.post("/get_private_key", Some("bob"), body.clone()).await;
    assert_eq!(denied.outcome(), said(400, "access_denied"));
    let unknown = server.post("/get_private_key", Some("bob"), json!({ "file_name": "none" })).await;
    assert_eq!(unknown.json(), denied.json(), "an unknown file and another's look the same");

    let grant = |who: &str| json!({ "file_name": "a", "friend_email": format!("{who}@example.com") });
    let granted = server.post("/grant_access", Some("ann"), grant("bob")).await;
    assert_eq!(granted.outcome(), said(200, "grant_success"));
    let stranger = server.post("/grant_access", Some("ann"), grant("stranger")).await;
    assert_eq!(stranger.json(), granted.json(), "nobody learns who has an account");
    let shared = server.post("/get_private_key", Some("bob"), body).await;
    assert_eq!(shared.json(), own.json());
    for (who, body) in [
        ("bob", grant("carl")),
        ("ann", json!({ "file_name": "none", "friend_email": "bob@example.com" })),
        ("ann", grant("ann")),
    ] {
        let refused = server.post("/grant_access", Some(who), body).await;
        assert_eq!(refused.outcome(), said(400, "permission_denied"));
    }
    server.stop().await;
}

#[tokio::test]
async fn without_a_session_nothing_is_answered_and_a_wrong_method_is_405() {
    let server = Server::start().await;
    let grant = json!({ "file_name": "a", "friend_email": "bob@example.com" });
    for (path, body) in [
        ("/get_public_key", json!({ "file_name": "a" })),
        ("/get_private_key", json!({ "file_name": "a" })),
        ("/grant_access", grant),
    ] {
        for user in [None, Some("nobody")] {
            let refused = server.post(path, user, body.clone()).await;
            assert_eq!(refused.outcome(), said(403, "invalid_session"), "{path}");
        }
        assert_eq!(server.get(path, None).await.status, 405, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn bad_fields_are_named_as_the_original_s_framework_does() {
    let server = Server::start().await;
    server.user("ann", Role::Employee, true).await;
    let wrong = async |path: &str, body: Value| {
        let answer = server.post(path, Some("ann"), body).await;
        let detail = answer.json()["detail"][0].clone();
        (answer.status, detail["type"].as_str().unwrap_or_default().to_owned(), detail["loc"].clone())
    };
    let at = |kind: &str, field: &str| (422, kind.to_owned(), json!(["body", field]));
    assert_eq!(wrong("/get_public_key", json!({})).await, at("missing", "file_name"));
    assert_eq!(wrong("/get_private_key", json!({ "file_name": 1 })).await, at("string_type", "file_name"));
    for name in ["", "../x", "/etc/passwd", "a\0b", &"x".repeat(1025)] {
        assert_eq!(wrong("/get_public_key", json!({ "file_name": name })).await.0, 422, "{name:?}");
    }
    let grant = json!({ "file_name": "a", "friend_email": "nobody" });
    assert_eq!(wrong("/grant_access", grant).await, at("value_error", "friend_email"));
    let broken = server.post_text("/get_public_key", Some("ann"), "{").await;
    assert_eq!((broken.status, &broken.json()["detail"][0]["type"]), (422, &json!("json_invalid")));
    server.stop().await;
}

#[tokio::test]
async fn a_session_without_a_second_factor_gets_no_private_key() {
    let server = Server::start().await;
    server.user("ann", Role::Admin, false).await;
    let body = json!({ "file_name": "a" });
    assert_eq!(server.post("/get_public_key", Some("ann"), body.clone()).await.outcome().1, 200);
    let refused = server.post("/get_private_key", Some("ann"), body).await;
    assert_eq!(refused.outcome(), said(403, "second_factor_required"));
    server.stop().await;
}
