//! `/login` and `/verify_login`.

use std::time::Duration;

use coffer_tests::Stack;

#[tokio::test]
async fn a_log_in_takes_the_password_and_the_code() {
    let stack = Stack::all().start().await;
    let surface = stack.surface();
    stack.register("ann@example.com", "right").await;
    surface.login("ann@example.com", "wrong").await.expect(200, 401, "login_failed");
    surface.login("nobody@example.com", "right").await.expect(200, 401, "login_failed");
    surface.verify_login("ann@example.com", "123456").await.expect(200, 401, "otp_failed");
    let code = stack.login_code("ann@example.com", "right").await;
    let sid = surface.verify_login("ann@example.com", &code).await.expect(200, 200, "login_success");
    let sid = sid.field("sid");
    assert!(sid.len() >= 43, "256 bits as text");
    surface.public_key(&sid, "a").await.expect(200, 200, "public_key_saved");
    surface.verify_login("ann@example.com", &code).await.expect(200, 401, "otp_failed");
}

#[tokio::test]
async fn a_pending_registration_does_not_log_in() {
    let stack = Stack::all().start().await;
    stack.register_code("ann@example.com", "right").await;
    stack.surface().login("ann@example.com", "right").await.expect(200, 401, "login_failed");
}

#[tokio::test]
async fn a_code_for_registration_does_not_open_a_login() {
    let stack = Stack::all().start().await;
    let surface = stack.surface();
    let registration = stack.register_code("ann@example.com", "pw").await;
    surface.verify_login("ann@example.com", &registration).await.expect(200, 401, "otp_failed");
    surface.verify_register("ann@example.com", &registration).await.expect(200, 200, "registration_success");
    let login = stack.login_code("ann@example.com", "pw").await;
    surface.verify_register("ann@example.com", &login).await.expect(200, 400, "no_pending_registration");
    surface.verify_login("ann@example.com", &registration).await.expect(200, 401, "otp_failed");
    surface.verify_login("ann@example.com", &login).await.expect(200, 200, "login_success");
}

#[tokio::test]
async fn a_code_of_one_account_does_not_open_another() {
    let stack = Stack::all().start().await;
    stack.register("ann@example.com", "pw").await;
    stack.register("ben@example.com", "pw").await;
    let (ann, ben) =
        (stack.login_code("ann@example.com", "pw").await, stack.login_code("ben@example.com", "pw").await);
    if ann != ben {
        stack.surface().verify_login("ben@example.com", &ann).await.expect(200, 401, "otp_failed");
    }
    stack.surface().verify_login("ben@example.com", &ben).await.expect(200, 200, "login_success");
}

#[tokio::test]
async fn a_new_code_may_be_asked_for_while_an_old_one_is_good() {
    let stack = Stack::all().start().await;
    let surface = stack.surface();
    stack.register("ann@example.com", "pw").await;
    let first = stack.login_code("ann@example.com", "pw").await;
    let second = stack.login_code("ann@example.com", "pw").await;
    surface.verify_login("ann@example.com", &first).await.expect(200, 200, "login_success");
    // Two devices may log in at the same time.
    surface.verify_login("ann@example.com", &second).await.expect(200, 200, "login_success");
    for used in [first, second] {
        surface.verify_login("ann@example.com", &used).await.expect(200, 401, "otp_failed");
    }
}

#[tokio::test]
async fn a_login_code_ends_after_five_wrong_tries_and_after_its_time() {
    let stack = Stack::all().set("COFFER_KMS__AUTH__OTP_TTL_S", "3").start().await;
    let surface = stack.surface();
    stack.register("ann@example.com", "pw").await;
    let code = stack.login_code("ann@example.com", "pw").await;
    for _ in 0..5 {
        surface.verify_login("ann@example.com", "000000").await.expect(200, 401, "otp_failed");
    }
    surface.verify_login("ann@example.com", &code).await.expect(200, 401, "otp_failed");
    let code = stack.login_code("ann@example.com", "pw").await;
    tokio::time::sleep(Duration::from_millis(3300)).await;
    surface.verify_login("ann@example.com", &code).await.expect(200, 401, "otp_failed");
}
