use serde_json::{Value, json};

use super::*;

const ANN: &str = "ann@example.com";

async fn register(kms: &Kms) -> Value {
    let wish = json!({ "email": ANN, "password": PASSWORD, "user_name": "Ann" });
    let asked = kms.post("/api/v1/registrations", wish).await;
    assert_eq!(asked.status, 202);
    assert!(asked.json()["code_expires_at"].as_str().unwrap().ends_with('Z'));
    let code = kms.code(ANN, 0).await;
    let verified = kms.post("/api/v1/registrations/verify", json!({ "email": ANN, "code": code })).await;
    assert_eq!(verified.status, 201);
    verified.json()["user"].clone()
}

async fn log_in(kms: &Kms, password: &str) -> Value {
    let seen = kms.letters_seen(ANN).await;
    let asked = kms.post("/api/v1/sessions", json!({ "email": ANN, "password": password })).await;
    assert_eq!((asked.status, asked.json()["status"].as_str()), (200, Some("otp_required")));
    let code = kms.code(ANN, seen).await;
    let opened = kms.post("/api/v1/sessions/verify", json!({ "email": ANN, "code": code })).await;
    assert_eq!(opened.status, 201);
    opened.json()
}

fn token(opened: &Value) -> &str {
    opened["token"].as_str().unwrap()
}

#[tokio::test]
async fn somebody_registers_logs_in_and_out() {
    let kms = Kms::start().await;
    let user = register(&kms).await;
    assert_eq!(
        (&user["email"], &user["user_name"], &user["role"]),
        (&json!(ANN), &json!("Ann"), &json!("employee"))
    );
    let opened = log_in(&kms, PASSWORD).await;
    assert_eq!(opened["device"].as_str().unwrap().len(), 43);
    let me = kms.get_as(token(&opened), "/api/v1/me").await.json();
    assert_eq!((&me["user"]["id"], &me["amr"]), (&user["id"], &json!(["pwd", "otp"])));
    let ended = kms.send("DELETE /api/v1/sessions/current", Some(token(&opened)), "").await;
    assert_eq!(ended.status, 204);
    let gone = kms.get_as(token(&opened), "/api/v1/me").await.problem();
    assert_eq!((gone.0, gone.1.as_str()), (401, "invalid_session"));
    kms.stop().await;
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_and_all_together() {
    let kms = Kms::start().await;
    register(&kms).await;
    let (one, other, third) =
        (log_in(&kms, PASSWORD).await, log_in(&kms, PASSWORD).await, log_in(&kms, PASSWORD).await);
    let listed = kms.get_as(token(&other), "/api/v1/sessions").await.json();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.iter().map(|item| item["current"] == true).collect::<Vec<_>>(), [false, true, false]);
    let oldest = items[2]["id"].as_str().unwrap();
    let end =
        async |id: &str| kms.send(&format!("DELETE /api/v1/sessions/{id}"), Some(token(&other)), "").await;
    assert_eq!(end(oldest).await.status, 204);
    assert_eq!(end(oldest).await.problem().1, "session_not_found");
    assert_eq!(end("xyz").await.status, 422);
    assert_eq!(kms.get_as(token(&one), "/api/v1/me").await.status, 401);
    let all = kms.send("DELETE /api/v1/sessions", Some(token(&other)), "").await;
    assert_eq!((all.status, all.json()), (200, json!({ "ended": 2 })));
    for opened in [&other, &third] {
        assert_eq!(kms.get_as(token(opened), "/api/v1/me").await.status, 401);
    }
    kms.stop().await;
}

#[tokio::test]
async fn a_token_is_accepted_as_bearer_too() {
    let kms = Kms::start().await;
    kms.register(ANN).await;
    let token = kms.log_in(ANN).await;
    let head = format!("GET /api/v1/me HTTP/1.1\r\nAuthorization: Bearer {token}\r\n");
    let answer = super::super::server::send(kms.public, &head, "").await;
    assert_eq!(answer.status, 200);
    kms.stop().await;
}

#[tokio::test]
async fn a_password_is_changed_and_reset() {
    let kms = Kms::start().await;
    register(&kms).await;
    let (mine, other) = (log_in(&kms, PASSWORD).await, log_in(&kms, PASSWORD).await);
    let change = |current: &str| json!({ "current_password": current, "new_password": "a second password" });
    let wrong = kms.post_as(token(&mine), "/api/v1/password", change("wrong")).await.problem();
    assert_eq!((wrong.0, wrong.1.as_str()), (401, "login_failed"));
    assert_eq!(kms.post_as(token(&mine), "/api/v1/password", change(PASSWORD)).await.status, 204);
    assert_eq!(kms.get_as(token(&mine), "/api/v1/me").await.status, 200);
    assert_eq!(kms.get_as(token(&other), "/api/v1/me").await.status, 401);
    log_in(&kms, "a second password").await;

    let seen = kms.letters_seen(ANN).await;
    let known = kms.post("/api/v1/password/reset", json!({ "email": ANN })).await;
    let unknown = kms.post("/api/v1/password/reset", json!({ "email": "nobody@example.com" })).await;
    assert_eq!((known.status, unknown.status), (202, 202));
    let code = kms.code(ANN, seen).await;
    let reset = json!({ "email": ANN, "code": code, "new_password": PASSWORD });
    assert_eq!(kms.post("/api/v1/password/reset/verify", reset).await.status, 204);
    assert_eq!(kms.get_as(token(&mine), "/api/v1/me").await.status, 401);
    log_in(&kms, PASSWORD).await;
    kms.stop().await;
}

#[tokio::test]
async fn bad_input_is_named() {
    let kms = Kms::start().await;
    let register = |email: &str, password: &str, name: &str| json!({ "email": email, "password": password, "user_name": name });
    let long = "p".repeat(73);
    for (body, field) in [
        (register("no address", PASSWORD, "ann"), "email"),
        (register(ANN, "too short", "ann"), "password"),
        (register(ANN, &long, "ann"), "password"),
        (register(ANN, PASSWORD, "a b"), "user_name"),
        (json!({ "email": ANN, "password": PASSWORD, "rolle": "admin" }), "rolle"),
    ] {
        let problem = kms.post("/api/v1/registrations", body).await.problem();
        assert_eq!(problem, (422, "invalid_input".to_owned(), field.to_owned()));
    }
    kms.stop().await;
}

#[tokio::test]
async fn where_codes_are_optional_a_log_in_answers_with_a_session() {
    let kms = Kms::with_optional_codes().await;
    kms.register(ANN).await;
    let opened = kms.post("/api/v1/sessions", json!({ "email": ANN, "password": PASSWORD })).await.json();
    assert_eq!(opened["status"], "logged_in");
    let me = kms.get_as(token(&opened), "/api/v1/me").await.json();
    assert_eq!(me["amr"], json!(["pwd"]));
    kms.stop().await;
}
