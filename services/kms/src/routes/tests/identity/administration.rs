use serde_json::{Value, json};

use super::*;

const ANN: &str = "ann@example.com";

async fn patch(kms: &Kms, token: &str, id: &str, body: Value) -> (u16, Value) {
    let answer = kms.send(&format!("PATCH /api/v1/users/{id}"), Some(token), &body.to_string()).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn an_administrator_lists_and_changes_users_and_nobody_else_does() {
    let kms = Kms::start().await;
    kms.register(ANN).await;
    let (root, ann) = (kms.log_in("root@example.com").await, kms.log_in(ANN).await);
    let users = kms.get_as(&root, "/api/v1/users").await.json();
    let emails: Vec<_> = users["items"].as_array().unwrap().iter().map(|user| &user["email"]).collect();
    assert_eq!(emails, ["root@example.com", ANN]);
    let found = kms.get_as(&root, "/api/v1/users?email=Ann@example.com").await.json();
    let id = found["items"][0]["id"].as_str().unwrap();
    for path in ["/api/v1/users", "/api/v1/events"] {
        assert_eq!(kms.get_as(&ann, path).await.problem().1, "permission_denied");
    }
    assert_eq!(patch(&kms, &ann, id, json!({ "role": "admin" })).await.0, 403);

    let (status, user) = patch(&kms, &root, id, json!({ "active": false })).await;
    assert_eq!((status, &user["active"]), (200, &json!(false)));
    assert_eq!(kms.get_as(&ann, "/api/v1/me").await.status, 401);
    let own = users["items"][0]["id"].as_str().unwrap();
    let (status, problem) = patch(&kms, &root, own, json!({ "role": "employee" })).await;
    assert_eq!((status, &problem["code"]), (409, &json!("last_admin")));
    let (status, problem) = patch(&kms, &root, id, json!({ "role": "emperor" })).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("role")));
    kms.stop().await;
}

#[tokio::test]
async fn an_administrator_reads_what_happened_without_addresses_or_secrets() {
    let kms = Kms::start().await;
    kms.register(ANN).await;
    let root = kms.log_in("root@example.com").await;
    kms.post("/login", json!({ "email": ANN, "password": "a planted guess" })).await;
    let answer = kms.get_as(&root, "/api/v1/events").await;
    let text = String::from_utf8(answer.body).unwrap();
    let events: Value = serde_json::from_str(&text).unwrap();
    let kinds: Vec<_> = events["items"].as_array().unwrap().iter().map(|event| &event["kind"]).collect();
    for kind in ["login_refused", "login_succeeded", "registered", "admin_created"] {
        assert!(kinds.contains(&&json!(kind)), "{kind} in {kinds:?}");
    }
    assert!(!text.contains(ANN) && !text.contains("planted") && !text.contains(&root), "{text}");
    kms.stop().await;
}
