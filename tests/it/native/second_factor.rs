//! `auth.email_otp = "optional"`: a log-in by password alone, and what it may not do.

use coffer_tests::Stack;
use serde_json::json;

#[tokio::test]
async fn a_session_without_a_code_keeps_files_but_releases_and_grants_no_keys() {
    let stack = Stack::all().set("COFFER_KMS__AUTH__EMAIL_OTP", "optional").start().await;
    let surface = stack.surface();
    let ann = stack.user("ann").await;
    surface.store(&ann.sid, "a", b"content").await;
    let body = json!({ "email": ann.email, "password": ann.password });
    let session = surface.http.post(&stack.kms_url("/api/v1/sessions"), body).await;
    assert!(session.status < 300, "{session}");
    let token = session.field("token");
    assert_eq!(surface.download(&token, "a").await.expect_status(200).data(), b"content");
    for (path, body) in [
        ("/api/v1/file-keys/export", json!({ "name": "a" })),
        ("/api/v1/file-keys/unwrap", json!({ "name": "a", "ciphertexts": ["AAAA"] })),
        ("/api/v1/grants", json!({ "name": "a", "grantee_email": "ben@example.com" })),
    ] {
        let answer = surface.http.post_as(&token, &stack.kms_url(path), body).await.expect_status(403);
        assert_eq!(answer.field("code"), "second_factor_required", "{path}");
    }
    // The contract's own log-in always asks for a code.
    surface.login(&ann.email, &ann.password).await.expect(200, 200, "login_otp_sent");
}

#[tokio::test]
async fn by_default_a_native_login_asks_for_a_code() {
    let stack = Stack::all().start().await;
    let surface = stack.surface();
    let ann = stack.user("ann").await;
    let seen = stack.mailbox.messages(&ann.email).await.len();
    let body = json!({ "email": ann.email, "password": ann.password });
    let asked = surface.http.post(&stack.kms_url("/api/v1/sessions"), body).await;
    assert!(asked.status < 300 && !asked.text().contains("token"), "{asked}");
    let code = stack.mailbox.code_after(&ann.email, seen).await;
    let body = json!({ "email": ann.email, "code": code });
    let session = surface.http.post(&stack.kms_url("/api/v1/sessions/verify"), body).await;
    surface.public_key(&session.field("token"), "a").await.expect(200, 200, "public_key_saved");
}
