//! Changing a password, and getting back in without one.

use std::time::Duration;

use coffer_tests::{Stack, until};
use serde_json::json;

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let stack = Stack::all().start().await;
    let surface = stack.surface();
    let ann = stack.user("ann").await;
    let other = stack.login(&ann.email, &ann.password).await;
    let url = stack.kms_url("/api/v1/password");
    let change = async |current: &str| {
        let body = json!({ "current_password": current, "new_password": "another phrase" });
        surface.http.post_as(&ann.sid, &url, body).await.status
    };
    assert!(matches!(change("wrong").await, 400..500));
    assert!(change(&ann.password).await < 300);
    surface.public_key(&other, "a").await.expect(200, 403, "invalid_session");
    surface.login(&ann.email, &ann.password).await.expect(200, 401, "login_failed");
    stack.login(&ann.email, "another phrase").await;
}

#[tokio::test]
async fn a_forgotten_password_is_reset_by_code_and_all_sessions_end() {
    let stack = Stack::all().start().await;
    let surface = stack.surface();
    let ann = stack.user("ann").await;
    surface.store(&ann.sid, "a", b"content").await;
    surface.download(&ann.sid, "a").await.expect_status(200);
    let seen = stack.mailbox.messages(&ann.email).await.len();
    let asked =
        surface.http.post(&stack.kms_url("/api/v1/password/reset"), json!({ "email": ann.email })).await;
    assert!(asked.status < 300, "{asked}");
    let code = stack.mailbox.code_after(&ann.email, seen).await;
    // A code for a reset opens nothing else.
    surface.verify_login(&ann.email, &code).await.expect(200, 401, "otp_failed");
    let body = json!({ "email": ann.email, "code": code, "new_password": "another phrase" });
    let reset = surface.http.post(&stack.kms_url("/api/v1/password/reset/verify"), body.clone()).await;
    assert!(reset.status < 300, "{reset}");
    let again = surface.http.post(&stack.kms_url("/api/v1/password/reset/verify"), body).await;
    assert_eq!(again.status, 401, "a code works once: {again}");
    surface.public_key(&ann.sid, "b").await.expect(200, 403, "invalid_session");
    until("the data service knows", Duration::from_secs(2), || async {
        surface.download(&ann.sid, "a").await.status == 401
    })
    .await;
    surface.login(&ann.email, &ann.password).await.expect(200, 401, "login_failed");
    stack.login(&ann.email, "another phrase").await;
}
