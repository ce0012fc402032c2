//! Guessing is bounded, and a stranger who guesses locks nobody out.
//!
//! The owner comes from 127.0.0.1, strangers from other addresses of the loopback network. These stacks
//! keep the production limits.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use coffer_tests::{Answer, Stack, Surface};
use serde_json::json;

const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

fn is_limited(answer: &Answer) -> bool {
    answer.message().as_deref() == Some("rate_limited")
}

/// Log-ins with wrong passwords until one is refused unseen; how many were looked at.
async fn guess_passwords(surface: &Surface, email: &str) -> usize {
    for number in 0..100 {
        let answer = surface.login(email, &format!("guess {number}")).await;
        if is_limited(&answer) {
            let answer = answer.expect(200, 429, "rate_limited");
            let wait: u64 =
                answer.header("retry-after").expect("it says when to come back").parse().expect("seconds");
            assert!((1..=600).contains(&wait), "{wait}");
            return number;
        }
        answer.expect(200, 401, "login_failed");
    }
    panic!("a hundred guesses were looked at");
}

#[tokio::test]
async fn a_stranger_who_guesses_passwords_is_stopped_and_the_owner_is_not() {
    let stack = Stack::all().default_limits().start().await;
    let ann = stack.user("ann").await;
    let stranger = stack.surface_from(STRANGER);
    let known = guess_passwords(&stranger, &ann.email).await;
    assert!((3..=10).contains(&known), "{known}");
    // The right password is not looked at either, and the next stranger has no tries left.
    assert!(is_limited(&stranger.login(&ann.email, &ann.password).await));
    for last in 3..20 {
        let other = stack.surface_from(Ipv4Addr::new(127, 0, 0, last));
        assert!(is_limited(&other.login(&ann.email, "guess").await), "127.0.0.{last}");
    }
    stack.login(&ann.email, &ann.password).await;

    // An account that is not there has the same limit.
    let unknown =
        guess_passwords(&stack.surface_from(Ipv4Addr::new(127, 0, 0, 30)), "nobody@example.com").await;
    assert_eq!(known, unknown);
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_is_stopped() {
    let stack = Stack::all().default_limits().start().await;
    let stranger = stack.surface_from(STRANGER);
    let mut looked_at = 0;
    for number in 0..100 {
        let answer = stranger.login(&format!("user{number}@example.com"), "guess").await;
        looked_at += usize::from(!is_limited(&answer));
    }
    assert!((10..=60).contains(&looked_at), "{looked_at}");
    stack.user("ann").await;
}

#[tokio::test]
async fn a_forwarded_address_is_believed_only_from_a_proxy_of_ours() {
    let stack = Stack::all().default_limits().start().await;
    let looked_at = async |stack: &Stack| {
        let surface = stack.surface_from(STRANGER);
        let mut looked_at = 0;
        for number in 0..100 {
            let body = json!({ "email": format!("user{number}@example.com"), "password": "guess" });
            let forwarded = format!("10.0.0.{number}");
            let headers = [("x-forwarded-for", forwarded.as_str())];
            let url = stack.kms_url("/login");
            let answer = surface.http.send_raw("POST", &url, &headers, Some(body.to_string().into())).await;
            looked_at += usize::from(!is_limited(&answer));
        }
        looked_at
    };
    assert!(looked_at(&stack).await <= 60);
    let trusting =
        Stack::all().default_limits().set_both("HTTP__TRUSTED_PROXIES", "127.0.0.2/32").start().await;
    assert_eq!(looked_at(&trusting).await, 100);
}

#[tokio::test]
async fn a_stranger_burns_a_code_for_strangers_and_not_for_its_owner() {
    let stack = Stack::all().default_limits().start().await;
    let ann = stack.user("ann").await;
    let code = stack.login_code(&ann.email, &ann.password).await;
    let wrong = if code == "999999" { "999998" } else { "999999" };
    for last in 2..9 {
        let stranger = stack.surface_from(Ipv4Addr::new(127, 0, 0, last));
        let answer = stranger.verify_login(&ann.email, wrong).await;
        assert!(is_limited(&answer) || answer.message().as_deref() == Some("otp_failed"), "{answer}");
    }
    // All strangers together have used up their tries: even the right code is worth nothing to them.
    for last in 2..12 {
        let stranger = stack.surface_from(Ipv4Addr::new(127, 0, 0, last));
        let answer = stranger.verify_login(&ann.email, &code).await;
        assert!(is_limited(&answer) || answer.message().as_deref() == Some("otp_failed"), "{answer}");
    }
    stack.surface().verify_login(&ann.email, &code).await.expect(200, 200, "login_success");
}

#[tokio::test]
async fn a_stranger_who_burns_a_registration_code_does_not_stop_the_registration() {
    let stack = Stack::all().default_limits().start().await;
    let code = stack.register_code("ann@example.com", "pw").await;
    let stranger = stack.surface_from(STRANGER);
    for _ in 0..8 {
        let answer = stranger.verify_register("ann@example.com", "000000").await;
        assert!(is_limited(&answer) || answer.message().as_deref() == Some("otp_failed"), "{answer}");
    }
    let answer = stack.surface().verify_register("ann@example.com", &code).await;
    answer.expect(200, 200, "registration_success");
}

#[tokio::test]
async fn a_stranger_cannot_keep_codes_from_their_owner_or_fill_his_mailbox() {
    let stack = Stack::all().default_limits().start().await;
    let ann = stack.user("ann").await;
    let before = stack.mailbox.messages(&ann.email).await.len();
    let url = stack.kms_url("/api/v1/password/reset");
    for last in 2..30 {
        let stranger = stack.surface_from(Ipv4Addr::new(127, 0, 0, last));
        let answer = stranger.http.post(&url, json!({ "email": ann.email })).await;
        assert!(answer.status < 300 || answer.status == 429, "{answer}");
    }
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let sent = stack.mailbox.messages(&ann.email).await.len() - before;
    assert!(sent <= 10, "{sent} messages");
    stack.login(&ann.email, &ann.password).await;
}

#[tokio::test]
async fn asking_who_has_an_account_is_limited() {
    let stack = Stack::all().default_limits().start().await;
    stack.user("ann").await;
    let stranger = stack.surface_from(STRANGER);
    let mut outcomes = HashSet::new();
    for _ in 0..70 {
        let answer = stranger.register("ann@example.com", "pw").await;
        outcomes.insert(answer.message().unwrap_or_default());
    }
    let expected = ["user_exists", "rate_limited"].map(str::to_owned).into();
    assert_eq!(outcomes, expected);
}

#[tokio::test]
async fn native_calls_are_limited_with_a_status() {
    let stack = Stack::all().default_limits().start().await;
    let stranger = stack.surface_from(STRANGER);
    let url = stack.kms_url("/api/v1/sessions");
    let body = json!({ "email": "nobody@example.com", "password": "guess" });
    let mut statuses = Vec::new();
    for _ in 0..15 {
        let answer = stranger.http.post(&url, body.clone()).await;
        assert!(answer.status != 429 || answer.header("retry-after").is_some(), "{answer}");
        statuses.push(answer.status);
    }
    assert_eq!(statuses.first(), Some(&401));
    assert_eq!(statuses.last(), Some(&429));
}
