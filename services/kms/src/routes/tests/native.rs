use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_api::Role;
use coffer_crypto::filekey::PublicKey;
use serde_json::{Value, json};

use super::server::Server;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[tokio::test]
async fn a_file_key_is_made_shared_used_and_taken_away() {
    let server = Server::start().await;
    for name in ["ann", "bob"] {
        server.user(name, Role::Employee, true).await;
    }
    let made = server.post("/api/v1/file-keys", Some("ann"), json!({ "name": "a b" })).await;
    let key = made.json();
    assert_eq!((made.status, text(&key["owner"]), &key["version"]), (200, "ann@example.com", &json!(1)));
    assert_eq!((&key["access"], &key["uploaded"]), (&json!("owner"), &json!(false)));

    let grant = json!({ "name": "a b", "grantee_email": "bob@example.com" });
    let granted = server.post("/api/v1/grants", Some("ann"), grant.clone()).await;
    assert_eq!((granted.status, text(&granted.json()["permission"])), (200, "read"));
    let shown = server.get("/api/v1/file-keys/show?name=a%20b", Some("bob")).await.json();
    assert_eq!((&shown["file_id"], &shown["access"]), (&key["file_id"], &json!("read")));
    let shared = server.get("/api/v1/shared", Some("bob")).await.json();
    assert_eq!(text(&shared["items"][0]["owner"]), "ann@example.com");

    let public = PublicKey::from_pem(text(&key["public_key_pem"])).unwrap();
    let sealed = STANDARD.encode(public.seal_oaep_sha256(b"content key").unwrap());
    let wanted = json!({ "name": "a b", "owner": "ann@example.com", "ciphertexts": [sealed, sealed] });
    let opened = server.post("/api/v1/file-keys/unwrap", Some("bob"), wanted.clone()).await;
    assert_eq!(
        opened.json()["plaintexts"],
        json!([STANDARD.encode("content key"), STANDARD.encode("content key")])
    );
    let exported = server.post("/api/v1/file-keys/export", Some("bob"), json!({ "name": "a b" })).await;
    assert!(text(&exported.json()["private_key_pem"]).starts_with("-----BEGIN RSA PRIVATE KEY-----"));

    let listed = server.get("/api/v1/grants?name=a%20b", Some("ann")).await.json();
    assert_eq!(text(&listed["items"][0]["grantee_email"]), "bob@example.com");
    let revoke = json!({ "name": "a b", "grantee_email": "bob@example.com" });
    assert_eq!(server.post("/api/v1/grants/revoke", Some("ann"), revoke).await.status, 204);
    let refused = server.post("/api/v1/file-keys/unwrap", Some("bob"), wanted).await;
    assert_eq!(refused.problem(), (403, "access_denied".into(), String::new()));
    let own = server.get("/api/v1/file-keys", Some("ann")).await.json();
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn what_is_refused_is_named_by_its_code_and_field() {
    let server = Server::start().await;
    server.user("ann", Role::Employee, true).await;
    server.user("weak", Role::Employee, false).await;
    let code = |status: u16, code: &str, field: &str| (status, code.to_owned(), field.to_owned());
    let post = async |path: &str, user: &str, body: Value| {
        server.post(&format!("/api/v1/{path}"), Some(user), body).await.problem()
    };
    server.post("/api/v1/file-keys", Some("ann"), json!({ "name": "a" })).await;
    server.post("/api/v1/file-keys", Some("weak"), json!({ "name": "a" })).await;

    let invalid = |field| code(422, "invalid_input", field);
    assert_eq!(post("file-keys", "ann", json!({ "name": "../x" })).await, invalid("name"));
    assert_eq!(post("file-keys", "ann", json!({})).await, invalid("name"));
    let unwrap = |texts: Value| json!({ "name": "a", "ciphertexts": texts });
    assert_eq!(post("file-keys/unwrap", "ann", unwrap(json!([]))).await, invalid("ciphertexts"));
    assert_eq!(post("file-keys/unwrap", "ann", unwrap(json!(["?"]))).await, invalid("ciphertexts[0]"));
    let zeros = STANDARD.encode([0; 256]);
    let failed = code(422, "unwrap_failed", "ciphertexts[0]");
    assert_eq!(post("file-keys/unwrap", "ann", unwrap(json!([zeros]))).await, failed);
    let missing = post("file-keys/export", "ann", json!({ "name": "none" })).await;
    assert_eq!(missing, code(404, "file_key_not_found", ""));
    let factor = code(403, "second_factor_required", "");
    assert_eq!(post("file-keys/export", "weak", json!({ "name": "a" })).await, factor);
    let expired =
        json!({ "name": "a", "grantee_email": "b@example.com", "expires_at": "2020-01-01T00:00:00Z" });
    assert_eq!(post("grants", "ann", expired).await, invalid("expires_at"));
    let none = server.post("/api/v1/file-keys", None, json!({ "name": "a" })).await;
    assert_eq!(none.problem(), code(401, "invalid_session", ""));
    let cursor = server.get("/api/v1/file-keys?cursor=x", Some("ann")).await;
    assert_eq!(cursor.problem(), invalid("cursor"));
    server.stop().await;
}

#[tokio::test]
async fn administrators_read_the_events_and_others_do_not() {
    let server = Server::start().await;
    let ann = server.user("ann", Role::Employee, true).await;
    server.user("root", Role::Admin, true).await;
    server.post("/api/v1/file-keys", Some("ann"), json!({ "name": "a" })).await;
    server.post("/api/v1/file-keys/export", Some("ann"), json!({ "name": "a" })).await;
    let page = server.get("/api/v1/events?limit=1", Some("root")).await.json();
    assert_eq!(text(&page["items"][0]["kind"]), "file_key_exported");
    assert_eq!(page["items"][0]["actor"], json!(ann));
    assert_eq!(
        (text(&page["items"][0]["address"]), text(&page["items"][0]["details"]["name"])),
        ("127.0.0.1", "a")
    );
    let path = format!("/api/v1/events?limit=1&cursor={}", text(&page["next_cursor"]));
    let next = server.get(&path, Some("root")).await.json();
    assert_eq!(text(&next["items"][0]["kind"]), "file_key_created");
    let none = server.get("/api/v1/events?kind=user_deactivated", Some("root")).await.json();
    assert_eq!(none["items"], json!([]));
    assert_eq!(server.get("/api/v1/events", Some("ann")).await.problem().1, "permission_denied");
    server.stop().await;
}
