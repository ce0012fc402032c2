use super::house::email;
use super::*;
use crate::domain::identity::IdentityError;
use coffer_core::ExposeSecret as _;

const NEW: &str = "quite another horse";

#[tokio::test]
async fn changing_a_password_ends_all_other_sessions() {
    let house = House::new();
    house.user(ANN).await;
    let client = at("192.0.2.1");
    let (mine, other) = (house.session(ANN, &client).await, house.session(ANN, &client).await);
    let code = house.ask_code(ANN, &client).await;
    let live = house.identity.check_session(mine.token.expose_secret()).await.unwrap().unwrap();
    let passwords = (password(PASSWORD), password(NEW));
    house.identity.change_password(&live, passwords, &client).await.unwrap();
    assert!(house.is_live(&mine).await && !house.is_live(&other).await);
    house.identity.verify_log_in(&email(ANN), &code, &client).await.expect_err("a code of the old password");
    house.identity.log_in(&email(ANN), password(PASSWORD), &client).await.unwrap_err();
    house.identity.log_in(&email(ANN), password(NEW), &client).await.unwrap();
}

#[tokio::test]
async fn changing_a_password_needs_the_present_one_and_guessing_it_is_limited() {
    let house = House::new();
    house.user(ANN).await;
    let client = at("192.0.2.1");
    let opened = house.session(ANN, &client).await;
    let live = house.identity.check_session(opened.token.expose_secret()).await.unwrap().unwrap();
    let mut limited = 0;
    for _ in 0..12 {
        let passwords = (password("wrong horse battery"), password(NEW));
        match house.identity.change_password(&live, passwords, &client).await {
            Err(IdentityError::LogInFailed) => assert_eq!(limited, 0),
            Err(IdentityError::RateLimited { .. }) => limited += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(limited, 2);
}

#[tokio::test]
async fn a_code_sets_a_new_password_and_ends_all_sessions() {
    let house = House::new();
    house.user(ANN).await;
    let client = at("192.0.2.1");
    let opened = house.session(ANN, &client).await;
    house.identity.send_reset_code(&email(ANN), &client).await.unwrap();
    let code = house.code(ANN).await;
    house.identity.reset_password((&email(ANN), &code), password(NEW), &client).await.unwrap();
    assert!(!house.is_live(&opened).await);
    house.identity.log_in(&email(ANN), password(NEW), &client).await.unwrap();
    let again = house.identity.reset_password((&email(ANN), &code), password(NEW), &client).await;
    assert!(matches!(again, Err(IdentityError::OtpFailed)), "a code is good once");
}

#[tokio::test]
async fn asking_for_a_reset_answers_alike_and_sends_only_to_users() {
    let house = House::new();
    house.user(ANN).await;
    let known = house.identity.request_reset(email(ANN), at("192.0.2.1")).await.unwrap();
    let unknown = house.identity.request_reset(email("nobody@example.com"), at("192.0.2.1")).await.unwrap();
    assert_eq!(known, unknown);
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(house.codes(ANN).await.len(), 2, "one to register, one to reset");
    assert!(house.codes("nobody@example.com").await.is_empty());
}

#[tokio::test]
async fn a_login_code_resets_no_password_and_a_reset_code_opens_no_session() {
    let house = House::new();
    house.user(ANN).await;
    let client = at("192.0.2.1");
    let login = house.ask_code(ANN, &client).await;
    let reset = house.identity.reset_password((&email(ANN), &login), password(NEW), &client).await;
    assert!(matches!(reset, Err(IdentityError::OtpFailed)));
    house.identity.send_reset_code(&email(ANN), &client).await.unwrap();
    let code = house.code(ANN).await;
    let opened = house.identity.verify_log_in(&email(ANN), &code, &client).await;
    assert!(matches!(opened, Err(IdentityError::OtpFailed)) || code == login);
}

#[tokio::test]
async fn strangers_who_ask_for_resets_push_out_no_code_of_a_recognised_device() {
    let house = House::with(|_, limits| limits.codes_per_account_max = 100);
    house.user(ANN).await;
    let owner = at("192.0.2.1");
    house.session(ANN, &owner).await;
    house.identity.send_reset_code(&email(ANN), &owner).await.unwrap();
    let code = house.code(ANN).await;
    for number in 0..9 {
        house.wait(std::time::Duration::from_millis(10));
        let stranger = at(&format!("198.51.100.{number}"));
        house.identity.send_reset_code(&email(ANN), &stranger).await.unwrap();
    }
    house.identity.reset_password((&email(ANN), &code), password(NEW), &owner).await.unwrap();
}
