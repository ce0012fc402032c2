use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_api::Role;
use coffer_crypto::keyring::handover_open;
use serde_json::json;

use super::server::{SECRET, Server, send};

#[tokio::test]
async fn a_service_is_given_its_own_keyring_and_the_hand_over_is_recorded() {
    let server = Server::start().await;
    server.user("root", Role::Admin, true).await;
    let answer = server.ask("/internal/v1/keyring", json!({})).await.json();
    let wrapped = STANDARD.decode(answer["wrapped"].as_str().unwrap()).unwrap();
    handover_open(SECRET.as_bytes(), "data", &wrapped).unwrap();
    server.ask("/internal/v1/keyring", json!({})).await.json();
    let events = server.get("/api/v1/events", Some("root")).await.json();
    assert_eq!(events["items"].as_array().unwrap().len(), 1, "the second time it was no news");
    assert_eq!(events["items"][0]["kind"], "keyring_handed_over");
    assert_eq!(events["items"][0]["details"], json!({ "service": "data", "actor": "service:data" }));
    server.stop().await;
}

#[tokio::test]
async fn the_data_service_learns_where_names_lead_and_what_was_revoked() {
    let server = Server::start().await;
    let (ann, bob) =
        (server.user("ann", Role::Employee, true).await, server.user("bob", Role::Employee, true).await);
    server.post("/api/v1/file-keys", Some("ann"), json!({ "name": "a" })).await;
    let wanted = json!({ "user_id": bob, "file_name": "a", "permission": "read" });
    let resolve = async || server.ask("/internal/v1/access/resolve", wanted.clone()).await.json();
    let start = server.ask("/internal/v1/feed", json!({})).await.json();
    assert_eq!(resolve().await, json!("not_found"));

    let grant = json!({ "name": "a", "grantee_email": "bob@example.com" });
    server.post("/api/v1/grants", Some("ann"), grant.clone()).await;
    assert_eq!(resolve().await, json!({ "found": { "space": ann } }));
    let shared = server.ask("/internal/v1/access/shared", json!({ "user_id": bob })).await.json();
    assert_eq!(shared["items"], json!([{ "space": ann, "file_name": "a", "covers": "file" }]));

    server.post("/api/v1/grants/revoke", Some("ann"), grant).await;
    assert_eq!(resolve().await, json!("denied"));
    let feed = server.ask("/internal/v1/feed", json!({ "after": start["position"] })).await.json();
    assert_eq!(feed["events"].as_array().unwrap().len(), 3, "granted, and before and after the revocation");
    assert!(feed["events"][1]["access_changed"]["address"].is_string());
    server.stop().await;
}

#[tokio::test]
async fn only_services_ask_and_only_on_the_internal_listener() {
    let server = Server::start().await;
    for path in ["keyring", "access/resolve", "access/shared", "feed"] {
        let head = format!("POST /internal/v1/{path} HTTP/1.1\r\n");
        let stranger = send(server.internal, &head, "{}").await;
        assert_eq!(stranger.problem().1, "invalid_service_token", "{path}");
        assert_eq!(send(server.public, &head, "{}").await.status, 404, "{path}");
    }
    server.stop().await;
}
