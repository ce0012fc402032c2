//! What every answer has, and how each surface says no.

use coffer_server::settings::HttpSettings;
use serde_json::json;

use crate::support::{ask, get, log_file, post, run, settings};

#[tokio::test]
async fn every_answer_is_named_and_may_be_neither_kept_nor_sniffed() {
    let running = run(&settings()).await;
    let at = running.services()[0];
    for answer in [get(at.public, "/nowhere").await, get(at.internal, "/healthz").await] {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-request-id").len(), 32, "{answer:?}");
    }
    let answer = ask(at.public, "GET /nowhere", &["X-Request-Id: abc-7"], "").await;
    assert_eq!(answer.header("x-request-id"), "abc-7");
    let answer = ask(at.public, "GET /nowhere", &["X-Request-Id: a b"], "").await;
    assert_eq!(answer.header("x-request-id").len(), 32);
    running.stop().await;
}

#[tokio::test]
async fn a_fault_says_nothing_and_its_cause_is_logged_once_under_the_request() {
    let log = log_file();
    let running = run(&settings()).await;
    let headers =
        ["X-Request-Id: fault-1", "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"];
    let answer = ask(running.services()[0].public, "GET /api/v1/broken", &headers, "").await;
    let problem = json!({
        "type": "urn:coffer:error:internal_error", "title": "Internal error", "status": 500,
        "code": "internal_error", "request_id": "fault-1"
    });
    assert_eq!((answer.status, answer.json()), (500, problem));
    assert_eq!(answer.header("content-type"), "application/problem+json");
    running.stop().await;
    let lines = std::fs::read_to_string(log).unwrap();
    let lines: Vec<_> = lines.lines().filter(|line| line.contains("fault-1")).collect();
    assert_eq!(lines.iter().filter(|line| line.contains("planted cause")).count(), 1, "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("4bf92f3577b34da6a3ce929d0e0e4736")), "{lines:?}");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_as_their_surface_does_it() {
    let running = run(&settings()).await;
    let public = running.services()[0].public;
    let answer = get(public, "/nowhere").await;
    assert_eq!((answer.status, answer.json()), (404, json!({ "detail": "Not Found" })));
    let answer = get(public, "/api/v1/nowhere").await;
    assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("not_found")));
    let answer = get(public, "/login").await;
    assert_eq!((answer.status, answer.json()), (405, json!({ "detail": "Method Not Allowed" })));
    assert_eq!(answer.header("allow"), "POST");
    let answer = ask(public, "DELETE /api/v1/things", &[], "").await;
    assert_eq!((answer.status, &answer.json()["code"]), (405, &json!("method_not_allowed")));
    assert_eq!(answer.header("allow"), "POST, GET");
    running.stop().await;
}

#[tokio::test]
async fn each_contract_reports_outcomes_in_its_own_way() {
    let running = run(&settings()).await;
    let public = running.services()[0].public;
    let answer = post(public, "/busy", "").await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "code": 429, "message": "rate_limited" })));
    assert_eq!(answer.header("retry-after"), "17");
    let answer = post(public, "/taken", "").await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "code": 400, "message": "user_exists" })));
    let answer = post(public, "/invalid", "").await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json()["detail"][0]["loc"], json!(["body", "friend_email"]));
    running.stop().await;
}

#[tokio::test]
async fn the_documents_are_served_and_may_fetch_nothing_from_elsewhere() {
    let running = run(&settings()).await;
    let at = running.services()[0];
    let answer = get(at.public, "/openapi.json").await;
    assert!(answer.json()["openapi"].as_str().unwrap().starts_with("3."), "{answer:?}");
    assert_eq!(get(at.public, "/docs").await.header("location"), "/docs/");
    let page = get(at.public, "/docs/").await;
    assert!(page.body.contains("swagger-ui"), "{page:?}");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; script-src 'self'"));
    assert!(!page.body.contains("<script>"));
    let initializer = get(at.public, "/docs/swagger-initializer.js").await;
    assert!(initializer.body.contains("/openapi.json"), "{initializer:?}");
    assert_eq!(get(at.public, "/docs/nothing.js").await.status, 404);
    assert_eq!(get(at.internal, "/docs/").await.status, 404);
    running.stop().await;
}

#[tokio::test]
async fn other_origins_are_answered_only_when_the_settings_name_them() {
    let origins = vec!["https://app.example.com".parse().unwrap()].into();
    let running = run(&HttpSettings { cors_origins: origins, ..settings() }).await;
    let public = running.services()[0].public;
    let preflight = ["Origin: https://app.example.com", "Access-Control-Request-Method: POST"];
    let answer = ask(public, "OPTIONS /login", &preflight, "").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example.com");
    let answer = ask(public, "GET /nowhere", &preflight[..1], "").await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example.com");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    for origin in ["Origin: https://evil.example.com", "Origin: null"] {
        let answer = ask(public, "OPTIONS /login", &[origin, preflight[1]], "").await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (405, ""));
    }
    running.stop().await;

    let running = run(&settings()).await;
    let answer = ask(running.services()[0].public, "OPTIONS /login", &preflight, "").await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
    running.stop().await;
}

#[tokio::test]
async fn metrics_count_by_route_and_never_by_path() {
    let running = run(&settings()).await;
    let at = running.services()[0];
    get(at.public, "/api/v1/things/planted-path").await;
    get(at.public, "/planted-path").await;
    let metrics = get(at.internal, "/metrics").await.body;
    let count = r#"http_requests_total{service="kms",route="/api/v1/things/{id}",status="422"}"#;
    assert!(metrics.contains(count), "{metrics}");
    assert!(metrics.contains(r#"route="(none)",status="404""#));
    assert!(metrics.contains("http_request_duration_seconds_bucket"));
    assert!(!metrics.contains("planted-path"));
    running.stop().await;
}
