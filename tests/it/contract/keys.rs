//! `/get_public_key` and `/get_private_key`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coffer_tests::{Answer, Stack};

fn pem(answer: &Answer, field: &str) -> String {
    let json = answer.json();
    let text = json[field].as_str().unwrap_or_else(|| panic!("{field}: {answer}"));
    String::from_utf8(BASE64.decode(text).expect("keys are base64")).expect("PEM is text")
}

#[tokio::test]
async fn keys_travel_as_base64_of_pem_in_the_forms_that_clients_load() {
    let stack = Stack::all().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    let public = surface.public_key(&ann.sid, "報告 2026.bin").await.expect(200, 200, "public_key_saved");
    assert!(pem(&public, "kms_public_key").starts_with("-----BEGIN PUBLIC KEY-----"));
    let private =
        surface.private_key(&ann.sid, "報告 2026.bin").await.expect(200, 200, "private_key_retrieved");
    assert!(pem(&private, "kms_private_key").starts_with("-----BEGIN RSA PRIVATE KEY-----"));
}

#[tokio::test]
async fn a_key_without_its_upload_does_not_block_its_name() {
    let stack = Stack::all().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    let first = surface.public_key(&ann.sid, "a").await.expect(200, 200, "public_key_saved");
    let again = surface.public_key(&ann.sid, "a").await.expect(200, 200, "public_key_saved");
    assert_eq!(pem(&first, "kms_public_key"), pem(&again, "kms_public_key"));
    surface.upload(&ann.sid, "a", b"content").await.expect(200, 200, "upload_success");
    surface.public_key(&ann.sid, "a").await.expect(200, 400, "file_exists");
}

#[tokio::test]
async fn a_private_key_is_for_the_owner_and_for_whom_it_was_granted() {
    let stack = Stack::all().start().await;
    let (surface, ann, ben) = (stack.surface(), stack.user("ann").await, stack.user("ben").await);
    surface.store(&ann.sid, "a", b"content").await;
    surface.private_key(&ben.sid, "a").await.expect(200, 400, "access_denied");
    surface.private_key(&ben.sid, "unknown").await.expect(200, 400, "access_denied");
    surface.grant(&ann.sid, "a", &ben.email).await.expect(200, 200, "grant_success");
    let own = surface.private_key(&ann.sid, "a").await.expect(200, 200, "private_key_retrieved");
    let granted = surface.private_key(&ben.sid, "a").await.expect(200, 200, "private_key_retrieved");
    assert_eq!(pem(&own, "kms_private_key"), pem(&granted, "kms_private_key"));
    surface.revoke(&ann.sid, "a", &ben.email).await;
    surface.private_key(&ben.sid, "a").await.expect(200, 400, "access_denied");
}

#[tokio::test]
async fn every_file_has_a_key_of_its_own() {
    let stack = Stack::all().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    let mut keys = std::collections::HashSet::new();
    for number in 0..5 {
        let answer = surface.public_key(&ann.sid, &format!("file {number}")).await;
        assert!(keys.insert(pem(&answer.expect(200, 200, "public_key_saved"), "kms_public_key")));
    }
}

#[tokio::test]
async fn without_a_session_there_are_no_keys_and_no_grants() {
    let stack = Stack::all().start().await;
    let surface = stack.surface();
    for sid in ["", "unknown", &"x".repeat(43), &"x".repeat(5000)] {
        surface.public_key(sid, "a").await.expect(200, 403, "invalid_session");
        surface.private_key(sid, "a").await.expect(200, 403, "invalid_session");
        surface.grant(sid, "a", "ben@example.com").await.expect(200, 403, "invalid_session");
    }
}
