//! Whether every promise was kept, and everybody can go on.

use coffer_tests::{Stack, Surface, User, until};
use serde_json::json;
use std::time::Duration;

use super::record::{PASSWORD, Promises, Record, content};

pub(super) async fn all(stack: &Stack, record: &Record, friend: &User) {
    let surface = stack.surface();
    let people = record.all();
    let stored: usize = people.iter().map(|person| person.stored.len()).sum();
    assert!(people.len() > 3 && stored > 3, "too little was done to tell: {people:?}");
    for person in &people {
        check_session(&surface, person).await;
        let sid = come_back(stack, person).await;
        check_files(&surface, person, &sid).await;
        check_grants(&surface, person, &friend.sid).await;
        go_on(&surface, person, &sid).await;
    }
}

async fn check_session(surface: &Surface, person: &Promises) {
    let Some(sid) = &person.sid else { return };
    if person.ended {
        surface.private_key(sid, "any").await.expect(200, 403, "invalid_session");
        surface.download(sid, "any").await.expect(401, 401, "invalid_session");
    } else if person.stored.len() < 3 {
        // Never asked to end.
        surface.private_key(sid, "any").await.expect(200, 400, "access_denied");
    }
}

/// Whoever was registered logs in; whoever was not registers, whatever is half done.
async fn come_back(stack: &Stack, person: &Promises) -> String {
    let email = &person.email;
    if !person.registered {
        finish_registration(stack, person).await;
    }
    stack.login(email, PASSWORD).await
}

async fn finish_registration(stack: &Stack, person: &Promises) {
    let surface = stack.surface();
    let email = &person.email;
    let answer = surface.register(email, PASSWORD).await;
    match answer.message().as_deref() {
        Some("registration_pending") => {
            assert!(!person.pending, "{email}: the promised registration is lost");
            let code = newest_code(stack, email).await;
            surface.verify_register(email, &code).await.expect(200, 200, "registration_success");
        }
        Some("user_exists") => {
            // Pending, or verified without the answer having arrived. A pending one gets a new code.
            let url = stack.kms_url("/api/v1/registrations/code");
            let seen = stack.mailbox.messages(email).await.len();
            surface.http.post(&url, json!({ "email": email })).await;
            let pending = surface.verify_register(email, "000000").await.message();
            if pending.as_deref() == Some("otp_failed") {
                let code = stack.mailbox.code_after(email, seen).await;
                surface.verify_register(email, &code).await.expect(200, 200, "registration_success");
            }
        }
        _ => panic!("{email} cannot register: {answer}"),
    }
}

async fn newest_code(stack: &Stack, email: &str) -> String {
    until("mail", Duration::from_secs(20), || async { !stack.mailbox.messages(email).await.is_empty() })
        .await;
    // An older one may have been on its way when its registration was not acknowledged.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let messages = stack.mailbox.messages(email).await;
    messages.last().and_then(coffer_tests::Message::code).expect("the mail has a code")
}

async fn check_files(surface: &Surface, person: &Promises, sid: &str) {
    for name in &person.stored {
        let answer = surface.download(sid, name).await.expect_status(200);
        assert!(answer.data() == content(name), "{name} has changed");
        surface.private_key(sid, name).await.expect(200, 200, "private_key_retrieved");
    }
}

async fn check_grants(surface: &Surface, person: &Promises, friend: &str) {
    for name in &person.shared {
        assert!(surface.download(friend, name).await.expect_status(200).data() == content(name));
    }
    for name in &person.revoked {
        surface.download(friend, name).await.expect(403, 403, "access_denied");
    }
}

/// A name that a key was asked for can be stored under, if it is not.
async fn go_on(surface: &Surface, person: &Promises, sid: &str) {
    for name in person.named.iter().filter(|name| !person.stored.contains(name)) {
        let key = surface.public_key(sid, name).await;
        match key.message().as_deref() {
            Some("public_key_saved") => {
                surface.upload(sid, name, &content(name)).await.expect(200, 200, "upload_success");
            }
            // Stored without the answer having arrived.
            Some("file_exists") => {}
            _ => panic!("{name} is blocked: {key}"),
        }
        assert!(surface.download(sid, name).await.expect_status(200).data() == content(name));
    }
}
