use std::time::Duration;

use coffer_core::ExposeSecret as _;

use super::house::email;
use super::*;
use crate::domain::identity::IdentityError;

#[tokio::test]
async fn a_code_for_registration_does_not_open_a_login() {
    let house = House::new();
    let client = at("192.0.2.1");
    house.identity.register(House::wish(ANN), &client).await.unwrap();
    let code = house.code(ANN).await;
    let opened = house.identity.verify_log_in(&email(ANN), &code, &client).await;
    assert!(matches!(opened, Err(IdentityError::OtpFailed)));
    house.identity.verify_registration(&email(ANN), &code, &client).await.unwrap();
}

#[tokio::test]
async fn a_code_of_one_account_opens_no_other() {
    let house = House::new();
    let client = at("192.0.2.1");
    house.user(ANN).await;
    house.user("ben@example.com").await;
    let code = house.ask_code(ANN, &client).await;
    house.ask_code("ben@example.com", &client).await;
    let opened = house.identity.verify_log_in(&email("ben@example.com"), &code, &client).await;
    assert!(matches!(opened, Err(IdentityError::OtpFailed)) || house.code("ben@example.com").await == code);
}

#[tokio::test]
async fn five_wrong_tries_end_a_code_for_that_requester_only() {
    let house = House::new();
    house.user(ANN).await;
    let (owner, known) = (at("192.0.2.1"), at("192.0.2.9"));
    house.session(ANN, &known).await;
    let code = house.ask_code(ANN, &owner).await;
    for _ in 0..5 {
        house.identity.verify_log_in(&email(ANN), wrong(&code), &owner).await.unwrap_err();
    }
    let right = house.identity.verify_log_in(&email(ANN), &code, &owner).await;
    assert!(matches!(right, Err(IdentityError::OtpFailed)));
    house.identity.verify_log_in(&email(ANN), &code, &known).await.unwrap();
}

#[tokio::test]
async fn a_stranger_cannot_burn_the_owners_code() {
    let house = House::with(|_, limits| {
        limits.auth_per_account_max = 1000;
        limits.wrong_codes_per_day_max = 1000;
    });
    house.user(ANN).await;
    let owner = at("192.0.2.1");
    let code = house.ask_code(ANN, &owner).await;
    for number in 0..50 {
        let stranger = at(&format!("198.51.100.{number}"));
        let tried = house.identity.verify_log_in(&email(ANN), wrong(&code), &stranger).await;
        assert!(matches!(tried, Err(IdentityError::OtpFailed)));
    }
    // All strangers together had five tries; even the right code is no good to them now.
    let stranger = house.identity.verify_log_in(&email(ANN), &code, &at("203.0.113.1")).await;
    assert!(matches!(stranger, Err(IdentityError::OtpFailed)));
    house.identity.verify_log_in(&email(ANN), &code, &owner).await.unwrap();
}

#[tokio::test]
async fn a_stranger_cannot_end_somebodys_registration() {
    let house = House::new();
    let owner = at("192.0.2.1");
    house.identity.register(House::wish(ANN), &owner).await.unwrap();
    let code = house.code(ANN).await;
    for _ in 0..8 {
        house.identity.verify_registration(&email(ANN), wrong(&code), &at("198.51.100.7")).await.unwrap_err();
    }
    house.identity.verify_registration(&email(ANN), &code, &owner).await.unwrap();
}

#[tokio::test]
async fn a_try_counts_on_every_process() {
    let house = House::new();
    let other = house.replica();
    house.user(ANN).await;
    let client = at("192.0.2.1");
    let code = house.ask_code(ANN, &client).await;
    for number in 0..5 {
        let process = if number % 2 == 0 { &house } else { &other };
        process.identity.verify_log_in(&email(ANN), wrong(&code), &client).await.unwrap_err();
    }
    for process in [&house, &other] {
        process.identity.verify_log_in(&email(ANN), &code, &client).await.unwrap_err();
    }
}

#[tokio::test]
async fn tries_at_the_same_time_are_five_in_all() {
    let house = House::with(|_, limits| limits.auth_per_device_max = 100);
    house.user(ANN).await;
    let client = at("192.0.2.1");
    let code = house.ask_code(ANN, &client).await;
    let ann = email(ANN);
    let wrong = wrong(&code);
    let tries = (0..12).map(|_| house.identity.verify_log_in(&ann, wrong, &client));
    assert!(futures_util::future::join_all(tries).await.iter().all(Result::is_err));
    house.identity.verify_log_in(&ann, &code, &client).await.unwrap_err();
    // The counter stands at five exactly: a sixth try was never counted, nor compared.
    let state = house.identity.addresses.load(&house.identity.blind(&ann)).await.unwrap();
    assert_eq!(state.codes[0].value.tries, [5, 0, 0]);
}

#[tokio::test]
async fn a_code_logs_in_once_even_at_the_same_time() {
    let house = House::new();
    let other = house.replica();
    house.user(ANN).await;
    let client = at("192.0.2.1");
    let code = house.ask_code(ANN, &client).await;
    let ann = email(ANN);
    let outcomes = tokio::join!(
        house.identity.verify_log_in(&ann, &code, &client),
        other.identity.verify_log_in(&ann, &code, &client),
    );
    assert!(outcomes.0.is_ok() != outcomes.1.is_ok(), "{outcomes:?}");
}

#[tokio::test]
async fn several_codes_may_be_outstanding_and_each_is_good_once() {
    let house = House::new();
    house.user(ANN).await;
    let client = at("192.0.2.1");
    let first = house.ask_code(ANN, &client).await;
    let second = house.ask_code(ANN, &client).await;
    for code in [&first, &second] {
        house.identity.verify_log_in(&email(ANN), code, &client).await.unwrap();
        let again = house.identity.verify_log_in(&email(ANN), code, &client).await;
        assert!(matches!(again, Err(IdentityError::OtpFailed)) || first == second);
    }
}

#[tokio::test]
async fn a_fourth_code_ends_the_first() {
    let house = House::new();
    house.user(ANN).await;
    let client = at("192.0.2.1");
    let first = house.ask_code(ANN, &client).await;
    for _ in 0..3 {
        house.wait(Duration::from_secs(1));
        house.ask_code(ANN, &client).await;
    }
    let tried = house.identity.verify_log_in(&email(ANN), &first, &client).await;
    assert!(matches!(tried, Err(IdentityError::OtpFailed)) || house.codes(ANN).await[2..].contains(&first));
}

#[tokio::test]
async fn a_login_code_expires() {
    let house = House::new();
    house.user(ANN).await;
    let client = at("192.0.2.1");
    let code = house.ask_code(ANN, &client).await;
    house.wait(Duration::from_mins(10));
    house.identity.verify_log_in(&email(ANN), &code, &client).await.unwrap_err();
}

#[tokio::test]
async fn a_day_of_guessing_is_forty_tries_and_does_not_concern_the_owner_where_he_is_known() {
    let house = House::new();
    house.user(ANN).await;
    let since_midnight = house.identity.now().as_ms().rem_euclid(86_400_000);
    house.wait(Duration::from_millis(u64::try_from(86_400_000 - since_midnight).unwrap()));
    let mut looked_at = 0;
    for round in 0..140 {
        let stranger = at(&format!("198.51.100.{round}"));
        // When no more codes are to be had, the tries are in vain, which is the point.
        let _ = house.identity.send_reset_code(&email(ANN), &stranger).await;
        let helper = at(&format!("203.0.113.{round}"));
        for guesser in [&stranger, &helper, &stranger, &helper, &stranger, &helper] {
            let code = (&email(ANN), "100000");
            match house.identity.reset_password(code, password(PASSWORD), guesser).await {
                Err(IdentityError::OtpFailed) => looked_at += 1,
                Err(IdentityError::RateLimited { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
        house.wait(Duration::from_mins(10));
    }
    assert_eq!(looked_at, 40);
    let owner = at("192.0.2.1");
    house.identity.send_reset_code(&email(ANN), &owner).await.unwrap();
    let code = house.code(ANN).await;
    house.identity.reset_password((&email(ANN), &code), password(PASSWORD), &owner).await.unwrap();
}

#[tokio::test]
async fn whoever_enters_the_right_codes_uses_up_no_tries_of_the_day() {
    let house = House::new();
    house.user(ANN).await;
    for number in 0..30 {
        house.session(ANN, &at(&format!("203.0.113.{number}"))).await;
        house.wait(Duration::from_mins(2));
    }
}

#[tokio::test]
async fn no_code_and_no_password_is_in_the_store_in_the_clear() {
    let house = House::new();
    house.user(ANN).await;
    let client = at("192.0.2.1");
    let code = house.ask_code(ANN, &client).await;
    let session = house.session(ANN, &client).await;
    for table in [
        crate::repo::tables::ADDRESS,
        crate::repo::tables::USER,
        crate::repo::tables::SESSION,
        crate::repo::tables::MAIL,
        crate::repo::tables::LIMIT,
    ] {
        let dump = house.store.dump(table).await;
        for secret in [code.as_str(), PASSWORD, ANN, "192.0.2.1", session.token.expose_secret()] {
            assert!(!dump.contains(secret), "{secret} in {table:?}");
        }
    }
}
