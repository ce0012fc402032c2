use std::time::Duration;

use super::house::email;
use super::*;
use crate::domain::identity::{Client, IdentityError, LogInOutcome, Wish};

#[tokio::test]
async fn an_address_registers_once_by_a_code_from_its_mail() {
    let house = House::new();
    let user = house.user(ANN).await;
    assert!(user.verified && user.active && user.number == 1);
    assert_eq!(user.email.as_str(), ANN);
    let again = house.identity.register(House::wish(ANN), &at("192.0.2.1")).await;
    assert!(matches!(again, Err(IdentityError::UserExists)));
    assert_eq!(house.event_kinds().await, ["registered", "registration_requested"]);
}

#[tokio::test]
async fn while_one_is_pending_another_is_refused_and_after_its_codes_expired_it_is_not() {
    let house = House::new();
    house.identity.register(House::wish(ANN), &at("192.0.2.1")).await.unwrap();
    let second = house.identity.register(House::wish(ANN), &at("192.0.2.2")).await;
    assert!(matches!(second, Err(IdentityError::UserExists)));
    house.wait(Duration::from_mins(10));
    house.identity.register(House::wish(ANN), &at("192.0.2.2")).await.unwrap();
}

#[tokio::test]
async fn nobody_is_pending_without_having_registered() {
    let house = House::new();
    let verified = house.identity.verify_registration(&email(ANN), "123456", &at("192.0.2.1")).await;
    assert!(matches!(verified, Err(IdentityError::NoPendingRegistration)));
}

#[tokio::test]
async fn a_code_registers_once() {
    let house = House::new();
    let client = at("192.0.2.1");
    house.identity.register(House::wish(ANN), &client).await.unwrap();
    let code = house.code(ANN).await;
    house.identity.verify_registration(&email(ANN), &code, &client).await.unwrap();
    let again = house.identity.verify_registration(&email(ANN), &code, &client).await;
    assert!(matches!(again, Err(IdentityError::NoPendingRegistration)));
}

#[tokio::test]
async fn an_expired_code_is_refused() {
    let house = House::new();
    let client = at("192.0.2.1");
    house.identity.register(House::wish(ANN), &client).await.unwrap();
    let code = house.code(ANN).await;
    house.wait(Duration::from_mins(10));
    let late = house.identity.verify_registration(&email(ANN), &code, &client).await;
    assert!(matches!(late, Err(IdentityError::NoPendingRegistration | IdentityError::OtpFailed)));
}

#[tokio::test]
async fn five_wrong_tries_end_a_registration_so_that_a_new_one_can_begin_at_once() {
    let house = House::new();
    let client = at("192.0.2.1");
    house.identity.register(House::wish(ANN), &client).await.unwrap();
    let code = house.code(ANN).await;
    for _ in 0..5 {
        let tried = house.identity.verify_registration(&email(ANN), wrong(&code), &client).await;
        assert!(matches!(tried, Err(IdentityError::OtpFailed)));
    }
    let right = house.identity.verify_registration(&email(ANN), &code, &client).await;
    assert!(matches!(right, Err(IdentityError::OtpFailed)), "the code has ended");
    house.identity.register(House::wish(ANN), &client).await.unwrap();
    let code = house.code(ANN).await;
    house.identity.verify_registration(&email(ANN), &code, &client).await.unwrap();
}

#[tokio::test]
async fn four_wrong_tries_do_not() {
    let house = House::new();
    let client = at("192.0.2.1");
    house.identity.register(House::wish(ANN), &client).await.unwrap();
    let code = house.code(ANN).await;
    for _ in 0..4 {
        house.identity.verify_registration(&email(ANN), wrong(&code), &client).await.unwrap_err();
    }
    house.identity.verify_registration(&email(ANN), &code, &client).await.unwrap();
}

#[tokio::test]
async fn two_concurrent_registrations_make_one_user() {
    let house = House::new();
    let other = house.replica();
    let (first, second) = (at("192.0.2.1"), at("192.0.2.2"));
    let outcomes = tokio::join!(
        house.identity.register(House::wish(ANN), &first),
        other.identity.register(House::wish(ANN), &second),
    );
    assert!(outcomes.0.is_ok() != outcomes.1.is_ok(), "{outcomes:?}");
    let codes = house.codes(ANN).await;
    assert_eq!(codes.len(), 1, "only the one that is pending sends mail");
    let (mine, theirs) = (email(ANN), email(ANN));
    let verified = tokio::join!(
        house.identity.verify_registration(&mine, &codes[0], &first),
        other.identity.verify_registration(&theirs, &codes[0], &second),
    );
    assert!(verified.0.is_ok() || verified.1.is_ok());
    let users = house.identity.list_users(0, 10).await.unwrap();
    assert_eq!(users.items.len(), 1);
}

#[tokio::test]
async fn another_code_can_be_asked_for_and_both_are_good() {
    let house = House::new();
    let client = at("192.0.2.1");
    house.identity.register(House::wish(ANN), &client).await.unwrap();
    house.wait(Duration::from_mins(5));
    house.identity.resend_code(&email(ANN), &client).await.unwrap();
    let codes = house.codes(ANN).await;
    assert_eq!(codes.len(), 2);
    house.identity.verify_registration(&email(ANN), &codes[0], &client).await.unwrap();
}

#[tokio::test]
async fn asking_for_another_code_without_a_registration_sends_nothing_and_answers_alike() {
    let house = House::new();
    let answer = house.identity.resend_code(&email(ANN), &at("192.0.2.1")).await.unwrap();
    assert_eq!(answer, house.identity.now().plus(Duration::from_mins(10)));
    assert!(house.codes(ANN).await.is_empty());
}

/// A house where a password alone opens a session.
fn house_without_codes() -> House {
    House::with(|auth, _| auth.email_otp = crate::config::EmailOtp::Optional)
}

async fn is_let_in(house: &House, client: &Client) -> bool {
    let outcome = house.identity.log_in(&email(ANN), password(PASSWORD), client).await.unwrap();
    matches!(outcome, LogInOutcome::Opened(_))
}

#[tokio::test]
async fn whoever_registered_somebody_elses_address_is_not_let_in_by_password_alone() {
    let house = house_without_codes();
    let (stranger, owner) = (at("198.51.100.7"), at("192.0.2.1"));
    house.identity.register(House::wish(ANN), &stranger).await.unwrap();
    house.identity.resend_code(&email(ANN), &owner).await.unwrap();
    let code = house.code(ANN).await;
    house.identity.verify_registration(&email(ANN), &code, &owner).await.unwrap();
    assert!(!is_let_in(&house, &stranger).await);
    // A code that the stranger asked for proves nothing about the password, whoever enters it.
    let code = house.code(ANN).await;
    house.identity.verify_log_in(&email(ANN), &code, &owner).await.unwrap();
    assert!(!is_let_in(&house, &stranger).await);

    // The letter that this brought goes out first: letters of one moment have no order.
    house.codes(ANN).await;
    house.identity.send_reset_code(&email(ANN), &owner).await.unwrap();
    let code = house.code(ANN).await;
    house.identity.reset_password((&email(ANN), &code), password(PASSWORD), &owner).await.unwrap();
    assert!(is_let_in(&house, &owner).await);
}

#[tokio::test]
async fn who_verified_elsewhere_than_he_registered_needs_a_code_once() {
    let house = house_without_codes();
    let (desk, phone) = (at("192.0.2.1"), at("203.0.113.5"));
    house.identity.register(House::wish(ANN), &desk).await.unwrap();
    let code = house.code(ANN).await;
    house.identity.verify_registration(&email(ANN), &code, &phone).await.unwrap();
    assert!(!is_let_in(&house, &desk).await);
    let code = house.code(ANN).await;
    house.identity.verify_log_in(&email(ANN), &code, &desk).await.unwrap();
    assert!(is_let_in(&house, &desk).await && is_let_in(&house, &phone).await);
}

#[tokio::test]
async fn who_verified_where_he_registered_needs_none() {
    let house = house_without_codes();
    house.user(ANN).await;
    assert!(is_let_in(&house, &at("203.0.113.5")).await);
}

#[tokio::test]
async fn a_user_name_is_unique_without_regard_to_case() {
    let house = House::new();
    let client = at("192.0.2.1");
    let named = |to: &str, name: &str| Wish { user_name: Some(name.parse().unwrap()), ..House::wish(to) };
    house.identity.register(named(ANN, "Ann"), &client).await.unwrap();
    let code = house.code(ANN).await;
    let user = house.identity.verify_registration(&email(ANN), &code, &client).await.unwrap();
    assert_eq!(user.user_name.unwrap().as_str(), "Ann");
    let taken = house.identity.register(named("ben@example.com", "aNN"), &client).await;
    assert!(matches!(taken, Err(IdentityError::UserNameTaken)));
}

#[tokio::test]
async fn two_that_want_one_name_at_the_same_time_are_told_apart() {
    let house = House::new();
    let client = at("192.0.2.1");
    let named = |to: &str| Wish { user_name: Some("ann".parse().unwrap()), ..House::wish(to) };
    for to in [ANN, "ben@example.com"] {
        house.identity.register(named(to), &client).await.unwrap();
    }
    let (first, second) = (house.code(ANN).await, house.code("ben@example.com").await);
    let (ann, ben) = (email(ANN), email("ben@example.com"));
    let outcomes = tokio::join!(
        house.identity.verify_registration(&ann, &first, &client),
        house.identity.verify_registration(&ben, &second, &client),
    );
    assert!(outcomes.0.is_ok() != outcomes.1.is_ok(), "{outcomes:?}");
}
