use serde_json::{Value, json};

use super::*;

const ANN: &str = "ann@example.com";

fn outcome(code: u64, message: &str) -> (u16, u64, String) {
    (200, code, message.to_owned())
}

#[tokio::test]
async fn every_row_of_the_contract_answers_as_it_says() {
    let kms = Kms::start().await;
    kms.register(ANN).await;
    let post = async |path: &str, body: Value| kms.post(path, body).await.outcome();
    let (credentials, proof) =
        (json!({ "email": ANN, "password": PASSWORD }), json!({ "email": ANN, "otp": "000000" }));
    assert_eq!(post("/register", credentials).await, outcome(400, "user_exists"));
    assert_eq!(post("/verify_register", proof.clone()).await, outcome(400, "no_pending_registration"));
    let wrong = json!({ "email": ANN, "password": "wrong" });
    assert_eq!(post("/login", wrong).await, outcome(401, "login_failed"));
    assert_eq!(post("/verify_login", proof).await, outcome(401, "otp_failed"));
    let ben = json!({ "email": "ben@example.com", "password": "x" });
    assert_eq!(post("/register", ben.clone()).await, outcome(200, "registration_pending"));
    assert_eq!(post("/register", ben).await, outcome(400, "user_exists"));
    let proof = json!({ "email": "ben@example.com", "otp": "000000" });
    assert_eq!(post("/verify_register", proof).await, outcome(401, "otp_failed"));
    assert_eq!(kms.log_in(ANN).await.len(), 43);
    kms.stop().await;
}

#[tokio::test]
async fn bad_input_is_422_that_names_the_field_and_echoes_no_secret() {
    let kms = Kms::start().await;
    let long = "p".repeat(73);
    for (path, body, field, kind) in [
        ("/register", json!({ "email": ANN }).to_string(), "password", "missing"),
        ("/register", json!({ "email": 7, "password": "x" }).to_string(), "email", "string_type"),
        ("/register", json!({ "email": "no", "password": "x" }).to_string(), "email", "value_error"),
        ("/register", json!({ "email": ANN, "password": long }).to_string(), "password", "string_too_long"),
        (
            "/register",
            json!({ "email": ANN, "password": "planted\0nul" }).to_string(),
            "password",
            "value_error",
        ),
        ("/login", json!({ "email": ANN, "password": ["planted"] }).to_string(), "password", "string_type"),
        ("/verify_login", json!({ "email": ANN, "otp": 123_456 }).to_string(), "otp", "string_type"),
    ] {
        let answer = kms.send(&format!("POST {path}"), None, &body).await;
        let detail = &answer.json()["detail"][0];
        assert_eq!(
            (answer.status, &detail["type"], &detail["loc"][1]),
            (422, &json!(kind), &json!(field)),
            "{body}"
        );
        let text = String::from_utf8(answer.body).unwrap();
        assert!(!text.contains("planted") && !text.contains("ppp") && !text.contains("123456"), "{text}");
    }
    let answer = kms.send("POST /login", None, "{").await;
    assert_eq!((answer.status, &answer.json()["detail"][0]["type"]), (422, &json!("json_invalid")));
    let answer = kms.send("GET /login", None, "").await;
    assert_eq!((answer.status, answer.json()), (405, json!({ "detail": "Method Not Allowed" })));
    kms.stop().await;
}

#[tokio::test]
async fn over_a_limit_the_answer_is_an_outcome_that_says_when_to_come_back() {
    let kms = Kms::start().await;
    let body = json!({ "email": ANN, "password": "wrong" });
    for _ in 0..10 {
        assert_eq!(kms.post("/login", body.clone()).await.outcome(), outcome(401, "login_failed"));
    }
    assert_eq!(kms.post("/login", body).await.outcome(), outcome(429, "rate_limited"));
    kms.stop().await;
}

#[tokio::test]
async fn a_log_in_of_the_contract_needs_a_code_also_where_codes_are_optional() {
    let kms = Kms::with_optional_codes().await;
    kms.register(ANN).await;
    kms.log_in(ANN).await;
    kms.stop().await;
}
