use serde_json::json;

use super::super::server::send;
use super::*;

const ANN: &str = "ann@example.com";

#[tokio::test]
async fn a_service_learns_whose_session_a_token_opens_and_that_it_has_ended() {
    let kms = Kms::start().await;
    kms.register(ANN).await;
    let token = kms.log_in(ANN).await;
    let check = async || kms.ask("/internal/v1/sessions/check", json!({ "token": token })).await.json();
    let live = check().await;
    assert_eq!((&live["live"]["role"], &live["live"]["amr"]), (&json!("employee"), &json!(["pwd", "otp"])));
    let touches = json!({ "touches": [{
        "session": live["live"]["session"], "last_used_at": live["live"]["absolute_expires_at"]
    }] });
    assert_eq!(kms.ask("/internal/v1/sessions/touch", touches).await.status, 200);
    assert_eq!(kms.send("DELETE /api/v1/sessions/current", Some(&token), "").await.status, 204);
    assert_eq!(check().await, json!("ended"));
    kms.stop().await;
}

#[tokio::test]
async fn only_the_gateway_asks_about_people() {
    let kms = Kms::start().await;
    let asked = json!({ "email": "root@example.com" });
    for path in ["/internal/v1/addresses/owner", "/internal/v1/addresses/blind"] {
        assert_eq!(kms.ask(path, asked.clone()).await.problem().1, "permission_denied", "{path}");
    }
    let guess = json!({ "login": "root", "password": "a guess at it", "client": "192.0.2.1" });
    assert_eq!(kms.ask("/internal/v1/users/login", guess).await.status, 403);
    kms.stop().await;
}

#[tokio::test]
async fn without_a_service_token_nothing_internal_answers_and_nothing_at_all_in_public() {
    let kms = Kms::start().await;
    let body = json!({ "token": "x" }).to_string();
    let head = "POST /internal/v1/sessions/check HTTP/1.1\r\n";
    assert_eq!(send(kms.internal, head, &body).await.status, 401);
    for head in [head, "GET /dev/mailbox HTTP/1.1\r\n", "GET /metrics HTTP/1.1\r\n"] {
        assert_eq!(send(kms.public, head, "").await.status, 404, "{head}");
    }
    kms.stop().await;
}

#[tokio::test]
async fn the_development_mailbox_is_read_on_loopback_only() {
    let kms = Kms::with(|settings| settings.http.internal_bind = "0.0.0.0:0".parse().unwrap()).await;
    let at = format!("127.0.0.1:{}", kms.internal.port()).parse().unwrap();
    assert_eq!(send(at, "GET /dev/mailbox HTTP/1.1\r\n", "").await.status, 404);
    assert_eq!(send(at, "GET /healthz HTTP/1.1\r\n", "").await.status, 200);
    kms.stop().await;
}
