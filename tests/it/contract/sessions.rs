//! How long a session lives, and what ends it.

use std::time::Duration;

use coffer_tests::{Stack, until};
use tokio::time::sleep;

#[tokio::test]
async fn a_session_ends_when_it_is_not_used() {
    let stack = Stack::all().set("COFFER_KMS__AUTH__SESSION_TTL_S", "3").start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    surface.store(&ann.sid, "a", b"content").await;
    // Used at the data service alone, it lives on: uses are reported to the KMS.
    for _ in 0..5 {
        sleep(Duration::from_millis(1200)).await;
        surface.download(&ann.sid, "a").await.expect_status(200);
    }
    sleep(Duration::from_millis(5200)).await;
    surface.download(&ann.sid, "a").await.expect(401, 401, "invalid_session");
    surface.public_key(&ann.sid, "b").await.expect(200, 403, "invalid_session");
}

#[tokio::test]
async fn a_session_ends_after_its_whole_time_however_it_is_used() {
    let stack = Stack::all().set("COFFER_KMS__AUTH__SESSION_LIFETIME_S", "3").start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    surface.store(&ann.sid, "a", b"content").await;
    until("the session ends though it is used", Duration::from_secs(6), || async {
        surface.download(&ann.sid, "a").await.status == 401
    })
    .await;
    surface.public_key(&ann.sid, "b").await.expect(200, 403, "invalid_session");
}

#[tokio::test]
async fn sessions_end_one_by_one_and_everywhere() {
    let stack = Stack::all().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    let other = stack.login(&ann.email, &ann.password).await;
    surface.store(&ann.sid, "a", b"content").await;
    surface.download(&other, "a").await.expect_status(200);
    let ended = surface.log_out(&ann.sid).await;
    assert!((200..300).contains(&ended.status), "{ended}");
    surface.public_key(&ann.sid, "b").await.expect(200, 403, "invalid_session");
    until("the data service knows", Duration::from_secs(2), || async {
        surface.download(&ann.sid, "a").await.status == 401
    })
    .await;
    surface.download(&other, "a").await.expect_status(200);
    surface.public_key(&other, "b").await.expect(200, 200, "public_key_saved");
}

#[tokio::test]
async fn nothing_is_flushed_when_services_start() {
    let stack = Stack::all().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    surface.store(&ann.sid, "a", b"content").await;
    let pending = stack.register_code("ben@example.com", "pw").await;
    let login = stack.login_code(&ann.email, &ann.password).await;
    stack.restart(&stack.kms[0]).await;
    assert_eq!(surface.download(&ann.sid, "a").await.expect_status(200).data(), b"content");
    surface.private_key(&ann.sid, "a").await.expect(200, 200, "private_key_retrieved");
    surface.verify_register("ben@example.com", &pending).await.expect(200, 200, "registration_success");
    surface.verify_login(&ann.email, &login).await.expect(200, 200, "login_success");
}
