//! `/register` and `/verify_register`.

use coffer_tests::{Stack, until};
use std::time::Duration;

#[tokio::test]
async fn an_address_registers_once_by_a_code_from_its_mail() {
    let stack = Stack::all().start().await;
    let surface = stack.surface();
    let code = stack.register_code("ann@example.com", "pw").await;
    surface.register("ann@example.com", "other").await.expect(200, 400, "user_exists");
    surface.verify_register("ann@example.com", &code).await.expect(200, 200, "registration_success");
    surface.verify_register("ann@example.com", &code).await.expect(200, 400, "no_pending_registration");
    surface.register("ann@example.com", "pw").await.expect(200, 400, "user_exists");
    // One mailbox is one account, however it is written.
    surface.register(" Ann@EXAMPLE.com ", "pw").await.expect(200, 400, "user_exists");
}

#[tokio::test]
async fn a_code_is_six_digits_in_a_mail_that_clients_can_read() {
    let stack = Stack::all().start().await;
    for number in 0..10 {
        let email = format!("user{number}@example.com");
        let code = stack.register_code(&email, "pw").await;
        assert!(code.len() == 6 && !code.starts_with('0'), "{code}");
        let message = stack.mailbox.message_after(&email, 0).await;
        assert_eq!(message.subject, "Your 2FA Code");
        assert!(message.text.contains(&format!("Your verification code is: {code}")), "{message:?}");
    }
}

#[tokio::test]
async fn mail_by_smtp_has_the_same_form_by_starttls_and_by_implicit_tls() {
    use coffer_tests::{SmtpServer, SmtpTls};
    for tls in [SmtpTls::Starttls, SmtpTls::Implicit] {
        let smtp = SmtpServer::start(tls).await.into();
        let stack = Stack::all().smtp(smtp).start().await;
        let code = stack.register_code("ann@example.com", "pw").await;
        let message = stack.mailbox.message_after("ann@example.com", 0).await;
        assert_eq!(message.subject, "Your 2FA Code");
        stack.surface().verify_register("ann@example.com", &code).await.expect(
            200,
            200,
            "registration_success",
        );
    }
}

#[tokio::test]
async fn mail_that_the_server_refuses_for_now_arrives_later() {
    use coffer_tests::{SmtpServer, SmtpTls};
    let smtp = std::sync::Arc::new(SmtpServer::start(SmtpTls::Starttls).await);
    let stack = Stack::all().smtp(std::sync::Arc::clone(&smtp)).start().await;
    smtp.refuse(true);
    stack.surface().register("ann@example.com", "pw").await.expect(200, 200, "registration_pending");
    until("a delivery fails", Duration::from_secs(10), || async { stack.logs().contains("451") }).await;
    smtp.refuse(false);
    let code = stack.mailbox.code_after("ann@example.com", 0).await;
    stack.surface().verify_register("ann@example.com", &code).await.expect(200, 200, "registration_success");
}

#[tokio::test]
async fn nobody_is_pending_without_having_registered() {
    let stack = Stack::all().start().await;
    let answer = stack.surface().verify_register("nobody@example.com", "123456").await;
    answer.expect(200, 400, "no_pending_registration");
}

#[tokio::test]
async fn a_wrong_code_may_be_retried_but_five_end_it() {
    let stack = Stack::all().start().await;
    let surface = stack.surface();
    for (tries, outcome) in [(4, (200, "registration_success")), (5, (401, "otp_failed"))] {
        let email = format!("after{tries}@example.com");
        let code = stack.register_code(&email, "pw").await;
        for number in 0..tries {
            let wrong = if code == "999999" { "999998" } else { "999999" };
            let answer = surface.verify_register(&email, wrong).await;
            assert_eq!(
                (answer.code(), answer.message().as_deref()),
                (Some(401), Some("otp_failed")),
                "try {number}"
            );
        }
        surface.verify_register(&email, &code).await.expect(200, outcome.0, outcome.1);
    }
}

#[tokio::test]
async fn a_code_that_has_expired_does_not_register_and_the_address_is_free_again() {
    let stack = Stack::all().set("COFFER_KMS__AUTH__OTP_TTL_S", "2").start().await;
    let surface = stack.surface();
    let code = stack.register_code("ann@example.com", "pw").await;
    tokio::time::sleep(Duration::from_millis(2300)).await;
    let answer = surface.verify_register("ann@example.com", &code).await;
    assert!(matches!(answer.code(), Some(400 | 401)), "{answer}");
    until("the address can be registered again", Duration::from_secs(10), || async {
        surface.register("ann@example.com", "pw").await.message().as_deref() == Some("registration_pending")
    })
    .await;
    let code = stack.mailbox.code_after("ann@example.com", 1).await;
    surface.verify_register("ann@example.com", &code).await.expect(200, 200, "registration_success");
}

#[tokio::test]
async fn a_password_over_72_bytes_is_refused_and_a_short_one_accepted() {
    let stack = Stack::all().start().await;
    let surface = stack.surface();
    let long = "p".repeat(73);
    let answer = surface.register("ann@example.com", &long).await.expect_status(422);
    assert_eq!(answer.json()["detail"][0]["loc"], serde_json::json!(["body", "password"]));
    assert!(!answer.text().contains(&long), "a password is never echoed");
    let longest = "é".repeat(36);
    stack.register("ann@example.com", &longest).await;
    stack.login("ann@example.com", &longest).await;
    stack.register("ben@example.com", "x").await;
    stack.login("ben@example.com", "x").await;
}
