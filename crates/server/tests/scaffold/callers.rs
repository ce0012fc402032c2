//! Who is calling, and from where.

use std::sync::Arc;

use coffer_auth::service_token::{ServiceName, ServiceSecret, ServiceTokens};
use coffer_core::{ExposeSecret as _, SecretString, SystemClock, SystemRandom};
use coffer_server::settings::HttpSettings;
use serde_json::json;

use crate::support::{ADMIN, EMPLOYEE, GATEWAY_SECRET, OFFLINE, SECRET, ask, run, settings};

#[tokio::test]
async fn a_session_travels_in_sid_or_as_a_bearer_token() {
    let running = run(&settings()).await;
    let public = running.services()[0].public;
    let me = async |headers: &[&str]| ask(public, "GET /api/v1/me", headers, "").await;
    let (sid, bearer) = (format!("sid: {EMPLOYEE}"), format!("Authorization: bearer {EMPLOYEE}"));
    for headers in [&[sid.as_str()][..], &[&bearer], &[&sid, &bearer], &[&sid, &sid]] {
        assert_eq!(me(headers).await.status, 200, "{headers:?}");
    }
    let (other_sid, other) = (format!("sid: {ADMIN}"), format!("Authorization: Bearer {ADMIN}"));
    for headers in [[&sid, &other], [&sid, &other_sid], [&bearer, &other]] {
        let answer = me(&headers.map(String::as_str)).await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("conflicting_credentials")));
    }
    running.stop().await;
}

#[tokio::test]
async fn without_a_live_session_each_surface_refuses_in_its_own_way() {
    let running = run(&settings()).await;
    let public = running.services()[0].public;
    let unknown = format!("sid: {}", "x".repeat(43));
    for header in [&[][..], &["sid: short"], &[unknown.as_str()], &["Authorization: Basic eDp5"]] {
        let answer = ask(public, "GET /api/v1/me", header, "").await;
        assert_eq!((answer.status, &answer.json()["code"]), (401, &json!("invalid_session")), "{header:?}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        let answer = ask(public, "POST /kms_files", header, "").await;
        assert_eq!(
            (answer.status, answer.json()),
            (200, json!({ "code": 403, "message": "invalid_session" }))
        );
        let answer = ask(public, "GET /data_files", header, "").await;
        assert_eq!(
            (answer.status, answer.json()),
            (401, json!({ "code": 401, "message": "invalid_session" }))
        );
    }
    running.stop().await;
}

#[tokio::test]
async fn a_session_that_cannot_be_checked_opens_nothing() {
    let running = run(&settings()).await;
    let header = format!("sid: {OFFLINE}");
    for line in ["GET /api/v1/me", "POST /kms_files", "GET /data_files"] {
        let answer = ask(running.services()[0].public, line, &[&header], "").await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
        assert!(!answer.body.contains("planted"));
    }
    running.stop().await;
}

#[tokio::test]
async fn a_permission_asks_for_its_role_and_for_a_second_factor() {
    let running = run(&settings()).await;
    let public = running.services()[0].public;
    let code = async |token: &str| {
        let answer = ask(public, "POST /api/v1/manage", &[&format!("sid: {token}")], "").await;
        (answer.status, answer.json()["code"].clone())
    };
    assert_eq!(code(EMPLOYEE).await, (403, json!("permission_denied")));
    assert_eq!(code(ADMIN).await, (403, json!("second_factor_required")));
    running.stop().await;
}

#[tokio::test]
async fn a_forwarded_address_is_believed_only_from_a_trusted_proxy() {
    let forged = ["X-Forwarded-For: 203.0.113.9"];
    let running = run(&settings()).await;
    let answer = ask(running.services()[0].public, "GET /api/v1/address", &forged, "").await;
    assert_eq!(answer.body, "127.0.0.1");
    running.stop().await;

    let trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()].into();
    let running = run(&HttpSettings { trusted_proxies, ..settings() }).await;
    let public = running.services()[0].public;
    assert_eq!(ask(public, "GET /api/v1/address", &forged, "").await.body, "203.0.113.9");
    let longer = ["X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 192.0.2.1, 203.0.113.9"];
    assert_eq!(ask(public, "GET /api/v1/address", &longer, "").await.body, "203.0.113.9");
    running.stop().await;
}

fn token(secret: &str, path: (ServiceName, ServiceName)) -> String {
    let secret = Arc::new(ServiceSecret::new(SecretString::from(secret)).unwrap());
    let tokens = ServiceTokens::new(secret, path, Arc::new(SystemClock), Arc::new(SystemRandom));
    format!("Authorization: Bearer {}", tokens.current().unwrap().expose_secret())
}

#[tokio::test]
async fn the_gateway_alone_says_whose_request_it_passes_on() {
    use ServiceName::{Data, Gateway, Kms};
    let running = run(&settings()).await;
    let public = running.services()[0].public;
    let of = async |secret: &str, path: (ServiceName, ServiceName)| {
        let token = token(secret, path).replace("Authorization: Bearer", "coffer-service-token:");
        let headers = ["coffer-client-address: 203.0.113.9", &token];
        ask(public, "GET /api/v1/address", &headers, "").await.body
    };
    assert_eq!(of(GATEWAY_SECRET, (Gateway, Kms)).await, "203.0.113.9");
    for (secret, path) in [(SECRET, (Data, Kms)), (SECRET, (Gateway, Kms)), (GATEWAY_SECRET, (Gateway, Data))]
    {
        assert_eq!(of(secret, path).await, "127.0.0.1", "{path:?}");
    }
    let claim = ["coffer-client-address: 203.0.113.9"];
    assert_eq!(ask(public, "GET /api/v1/address", &claim, "").await.body, "127.0.0.1");
    running.stop().await;
}

#[tokio::test]
async fn an_internal_call_needs_a_token_of_a_known_service_for_this_one() {
    use ServiceName::{Data, Gateway, Kms};
    let running = run(&settings()).await;
    let at = running.services()[0];
    let line = "POST /internal/v1/peer";
    let good = token(SECRET, (Data, Kms));
    let answer = ask(at.internal, line, &[&good], "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "data"));
    let other_secret = token(&"x".repeat(32), (Data, Kms));
    let (unknown_service, other_audience) = (token(SECRET, (Gateway, Kms)), token(SECRET, (Data, Gateway)));
    for header in ["X: y", &other_secret, &unknown_service, &other_audience, "Authorization: Bearer x.y.z"] {
        let answer = ask(at.internal, line, &[header], "").await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (401, &json!("invalid_service_token")),
            "{header}"
        );
    }
    // Nothing internal is on the public listener, whoever asks.
    assert_eq!(ask(at.public, line, &[&good], "").await.status, 404);
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(ask(at.public, &format!("GET {path}"), &[], "").await.status, 404);
    }
    running.stop().await;
}
