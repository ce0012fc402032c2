//! Two KMS and two data processes over one Redis behave as one.

use std::collections::HashSet;
use std::future::Future;
use std::net::Ipv4Addr;
use std::time::Duration;

use coffer_tests::{Answer, Curl, Stack, Surface, until, until_some};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

async fn two_of_each() -> Stack {
    Stack::separate().replicas(2, 2).start().await
}

#[tokio::test]
async fn a_code_asked_for_at_one_is_good_at_the_other_and_its_tries_are_counted_together() {
    let stack = two_of_each().await;
    let (one, other) = (stack.surface_of(0, 0), stack.surface_of(1, 1));
    let code = stack.register_code("ann@example.com", "pw").await;
    other.register("ann@example.com", "pw").await.expect(200, 400, "user_exists");
    other.verify_register("ann@example.com", &code).await.expect(200, 200, "registration_success");
    let code = stack.login_code("ann@example.com", "pw").await;
    other.verify_login("ann@example.com", &code).await.expect(200, 200, "login_success");
    one.verify_login("ann@example.com", &code).await.expect(200, 401, "otp_failed");
    let code = stack.login_code("ann@example.com", "pw").await;
    for number in 0..5 {
        let surface = if number % 2 == 0 { &one } else { &other };
        surface.verify_login("ann@example.com", "000000").await.expect(200, 401, "otp_failed");
    }
    other.verify_login("ann@example.com", &code).await.expect(200, 401, "otp_failed");
}

#[tokio::test]
async fn limits_are_counted_over_both() {
    let stack = Stack::separate().replicas(2, 2).default_limits().start().await;
    let mut looked_at = 0;
    for number in 0..30 {
        let stranger = Surface {
            http: coffer_tests::Http::from_address(Ipv4Addr::new(127, 0, 0, 2)),
            ..stack.surface_of(number % 2, 0)
        };
        let answer = stranger.login("nobody@example.com", "guess").await;
        looked_at += usize::from(answer.message().as_deref() == Some("login_failed"));
    }
    assert!((3..=10).contains(&looked_at), "{looked_at}");
}

#[tokio::test]
async fn a_session_that_ends_at_one_is_over_everywhere() {
    let stack = two_of_each().await;
    let (one, other) = (stack.surface_of(0, 0), stack.surface_of(1, 1));
    let ann = stack.user("ann").await;
    one.store(&ann.sid, "a", b"content").await;
    for surface in [&one, &other] {
        assert_eq!(surface.download(&ann.sid, "a").await.expect_status(200).data(), b"content");
        surface.private_key(&ann.sid, "a").await.expect(200, 200, "private_key_retrieved");
    }
    let ended = Instant::now();
    assert!((200..300).contains(&one.log_out(&ann.sid).await.status));
    other.private_key(&ann.sid, "a").await.expect(200, 403, "invalid_session");
    for surface in [&one, &other] {
        until("a data service knows", Duration::from_secs(2), || async {
            surface.download(&ann.sid, "a").await.status == 401
        })
        .await;
    }
    assert!(ended.elapsed() < Duration::from_secs(2), "{:?}", ended.elapsed());
}

#[tokio::test]
async fn a_grant_works_and_ends_at_all_of_them() {
    let stack = two_of_each().await;
    let (one, other) = (stack.surface_of(0, 0), stack.surface_of(1, 1));
    let (ann, ben) = (stack.user("ann").await, stack.user("ben").await);
    one.store(&ann.sid, "a", b"content").await;
    for surface in [&one, &other] {
        surface.download(&ben.sid, "a").await.expect(404, 404, "file_not_found");
    }
    one.grant(&ann.sid, "a", &ben.email).await.expect(200, 200, "grant_success");
    for surface in [&one, &other] {
        surface.download(&ben.sid, "a").await.expect_status(200);
        surface.private_key(&ben.sid, "a").await.expect(200, 200, "private_key_retrieved");
    }
    // Only now do the services serve from memory: the grant's own event made them forget.
    sleep(Duration::from_millis(1200)).await;
    for surface in [&one, &other] {
        surface.download(&ben.sid, "a").await.expect_status(200);
    }
    assert!((200..300).contains(&other.revoke(&ann.sid, "a", &ben.email).await.status));
    // The promise counts from the answer.
    let revoked = Instant::now();
    one.private_key(&ben.sid, "a").await.expect(200, 400, "access_denied");
    for surface in [&one, &other] {
        until("a data service refuses", Duration::from_secs(2), || async {
            surface.download(&ben.sid, "a").await.status == 403
        })
        .await;
    }
    assert!(revoked.elapsed() < Duration::from_secs(2), "{:?}", revoked.elapsed());
}

/// What unwrapping a content key of the file `a` is answered.
async fn unwrap(surface: &Surface, sid: &str, wrapped: &Value) -> u16 {
    let body = json!({ "name": "a", "ciphertexts": [wrapped] });
    surface.kms("/api/v1/file-keys/unwrap", sid, body).await.status
}

/// Unwraps at both, so that both remember; then something was taken away at the first, which refuses at once, and
/// the other has two seconds.
async fn unwrapping_ends(
    (here, elsewhere): (&Surface, &Surface),
    (sid, wrapped, refusal): (&str, &Value, u16),
    take: impl Future<Output = Answer>,
) {
    for surface in [here, elsewhere] {
        assert_eq!(unwrap(surface, sid, wrapped).await, 200);
    }
    assert!((200..300).contains(&take.await.status));
    let taken = Instant::now();
    assert_eq!(unwrap(here, sid, wrapped).await, refusal);
    until("the other KMS refuses", Duration::from_secs(2), || async {
        unwrap(elsewhere, sid, wrapped).await == refusal
    })
    .await;
    assert!(taken.elapsed() < Duration::from_secs(2), "{:?}", taken.elapsed());
}

#[tokio::test]
async fn unwrapping_ends_with_the_grant_and_with_the_session_at_all_of_them() {
    let stack = two_of_each().await;
    let (one, other) = (stack.surface_of(0, 0), stack.surface_of(1, 1));
    let (ann, ben) = (stack.user("ann").await, stack.user("ben").await);
    let key = one.public_key(&ann.sid, "a").await.field("kms_public_key");
    let envelope = Curl::new(&stack.directory().join("client")).seal("a", &key, b"content").await;
    one.http.post_as(&ann.sid, &format!("{}/upload", one.data), envelope.clone()).await.expect_status(200);
    let wrapped = &envelope["encrypted_aes_key"];
    one.grant(&ann.sid, "a", &ben.email).await.expect(200, 200, "grant_success");

    let (of_ben, of_ann) = ((&*ben.sid, wrapped, 403), (&*ann.sid, wrapped, 401));
    unwrapping_ends((&other, &one), of_ben, other.revoke(&ann.sid, "a", &ben.email)).await;
    unwrapping_ends((&one, &other), of_ann, one.log_out(&ann.sid)).await;
}

#[tokio::test]
async fn names_are_taken_once_whoever_is_asked() {
    let stack = two_of_each().await;
    let ann = stack.user("ann").await;
    let surfaces = [stack.surface_of(0, 0), stack.surface_of(1, 1)];
    let mut uploads = Vec::new();
    for number in 0..8 {
        let (surface, sid) = (surfaces[number % 2].clone(), ann.sid.clone());
        uploads.push(tokio::spawn(async move {
            surface.public_key(&sid, "a").await;
            surface.upload(&sid, "a", format!("content {number}").as_bytes()).await.status
        }));
    }
    let mut statuses = Vec::new();
    for upload in uploads {
        statuses.push(upload.await.expect("no call fails"));
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    let seen = surfaces[0].download(&ann.sid, "a").await.data();
    assert_eq!(surfaces[1].download(&ann.sid, "a").await.data(), seen);

    let mut registrations = Vec::new();
    for number in 0..8 {
        let surface = surfaces[number % 2].clone();
        registrations
            .push(tokio::spawn(async move { surface.register("ben@example.com", "pw").await.code() }));
    }
    let mut pending = 0;
    for registration in registrations {
        pending += usize::from(registration.await.expect("no call fails") == Some(200));
    }
    assert_eq!(pending, 1, "one registration wins");
}

/// The public key for a file, asked for again while none is ready: on a busy machine, making a pair may take
/// longer than a request waits.
async fn key_of(surface: &Surface, sid: &str, name: &str) -> String {
    let answer = until_some("there is a key", Duration::from_mins(2), || async {
        let answer = surface.public_key(sid, name).await;
        assert!(answer.status != 503 || answer.header("retry-after").is_some(), "{answer}");
        (answer.status != 503).then_some(answer)
    });
    answer.await.expect(200, 200, "public_key_saved").json()["kms_public_key"].to_string()
}

#[tokio::test]
async fn no_key_pair_is_given_twice() {
    let stack = Stack::separate().replicas(2, 2).set("COFFER_KMS__FILES__POOL_PAIRS", "16").start().await;
    let ann = stack.user("ann").await;
    let mut calls = Vec::new();
    for number in 0..60 {
        let (surface, sid) = (stack.surface_of(number % 2, 0), ann.sid.clone());
        calls.push(tokio::spawn(async move { key_of(&surface, &sid, &format!("file {number}")).await }));
        if number == 30 {
            // A killed process must not have its block of pairs handed out again.
            sleep(Duration::from_millis(100)).await;
        }
    }
    let mut keys = HashSet::new();
    for call in calls {
        assert!(keys.insert(call.await.expect("no call fails")), "a key was given twice");
    }
    stack.restart(&stack.kms[0]).await;
    for number in 60..80 {
        let key = key_of(&stack.surface(), &ann.sid, &format!("file {number}")).await;
        assert!(keys.insert(key), "a key was given twice");
    }
}

#[tokio::test]
async fn without_the_kms_the_data_service_fails_closed_and_recovers() {
    let stack = Stack::separate().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    surface.store(&ann.sid, "a", b"content").await;
    surface.download(&ann.sid, "a").await.expect_status(200);
    stack.kms[0].process.kill();
    sleep(Duration::from_millis(2100)).await;
    let started = Instant::now();
    let answer = surface.download(&ann.sid, "a").await.expect_status(503);
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert!(answer.header("retry-after").is_some(), "{answer}");
    surface.upload(&ann.sid, "b", b"content").await.expect_status(503);
    stack.kms[0].process.start();
    stack.ready().await;
    until("the session is good again", Duration::from_secs(5), || async {
        surface.download(&ann.sid, "a").await.status == 200
    })
    .await;
    surface.store(&ann.sid, "b", b"content").await;
}

#[tokio::test]
async fn one_killed_kms_does_not_stop_the_other_half() {
    let stack = two_of_each().await;
    let ann = stack.user("ann").await;
    stack.surface().store(&ann.sid, "a", b"content").await;
    stack.kms[0].process.kill();
    let other = stack.surface_of(1, 1);
    assert_eq!(other.download(&ann.sid, "a").await.expect_status(200).data(), b"content");
    other.store(&ann.sid, "b", b"content").await;
}
