use std::time::Duration;

use coffer_core::ExposeSecret as _;

use super::house::email;
use super::*;
use crate::domain::identity::{Client, IdentityError};

async fn try_password(house: &House, client: &Client) -> Result<(), IdentityError> {
    house.identity.log_in(&email(ANN), password("wrong horse battery"), client).await.map(drop)
}

#[tokio::test]
async fn passwords_of_one_account_are_tried_ten_times_a_minute_by_strangers_together() {
    let house = House::new();
    house.user(ANN).await;
    for number in 0..10 {
        let tried = try_password(&house, &at(&format!("198.51.100.{number}"))).await;
        assert!(matches!(tried, Err(IdentityError::LogInFailed)));
    }
    let tried = try_password(&house, &at("198.51.100.99")).await;
    assert!(matches!(tried, Err(IdentityError::RateLimited { .. })));
}

#[tokio::test]
async fn how_many_tries_are_left_does_not_tell_whether_an_account_exists_or_is_used() {
    let house = House::new();
    house.user(ANN).await;
    house.session(ANN, &at("192.0.2.1")).await;
    let mut left = Vec::new();
    for to in [ANN, "nobody@example.com"] {
        let mut tries = 0;
        while !matches!(
            house.identity.log_in(&email(to), password("wrong horse battery"), &at("198.51.100.1")).await,
            Err(IdentityError::RateLimited { .. })
        ) {
            tries += 1;
        }
        left.push(tries);
    }
    assert_eq!(left, [10, 10]);
}

#[tokio::test]
async fn strangers_who_guess_do_not_lock_out_a_recognised_address_or_device() {
    let house = House::new();
    house.user(ANN).await;
    let owner = at("192.0.2.1");
    let opened = house.session(ANN, &owner).await;
    let device = opened.device.unwrap();
    for number in 0..12 {
        try_password(&house, &at(&format!("198.51.100.{number}"))).await.unwrap_err();
    }
    house.session(ANN, &owner).await;
    let elsewhere = at("203.0.113.5").with_device(Some(device.expose_secret()));
    house.session(ANN, &elsewhere).await;
    let stranger = house.identity.log_in(&email(ANN), password(PASSWORD), &at("203.0.113.6")).await;
    assert!(matches!(stranger, Err(IdentityError::RateLimited { .. })));
}

#[tokio::test]
async fn strangers_who_guess_before_the_first_log_in_do_not_keep_a_new_owner_out() {
    let house = House::new();
    house.user(ANN).await;
    for number in 0..12 {
        try_password(&house, &at(&format!("198.51.100.{number}"))).await.unwrap_err();
    }
    house.session(ANN, &at("192.0.2.1")).await;
}

#[tokio::test]
async fn strangers_who_guess_after_a_reset_do_not_keep_the_owner_out_of_where_he_did_it() {
    let house = House::new();
    house.user(ANN).await;
    let elsewhere = at("203.0.113.5");
    house.identity.send_reset_code(&email(ANN), &elsewhere).await.unwrap();
    let code = house.code(ANN).await;
    house.identity.reset_password((&email(ANN), &code), password(PASSWORD), &elsewhere).await.unwrap();
    for number in 0..12 {
        try_password(&house, &at(&format!("198.51.100.{number}"))).await.unwrap_err();
    }
    house.session(ANN, &elsewhere).await;
}

#[tokio::test]
async fn a_recognised_device_guesses_no_more_than_its_own_allowance() {
    let house = House::new();
    house.user(ANN).await;
    let owner = at("192.0.2.1");
    house.session(ANN, &owner).await;
    house.wait(Duration::from_mins(5));
    for _ in 0..10 {
        assert!(matches!(try_password(&house, &owner).await, Err(IdentityError::LogInFailed)));
    }
    assert!(matches!(try_password(&house, &owner).await, Err(IdentityError::RateLimited { .. })));
}

#[tokio::test]
async fn a_network_address_has_sixty_calls_a_minute_over_all_accounts_and_processes() {
    let house = House::new();
    let other = house.replica();
    let client = at("192.0.2.1");
    for number in 0..60 {
        let process = if number % 2 == 0 { &house } else { &other };
        let to = email(&format!("user{number}@example.com"));
        let tried = process.identity.log_in(&to, password(PASSWORD), &client).await;
        assert!(matches!(tried, Err(IdentityError::LogInFailed)));
    }
    let refused = house.identity.register(House::wish(ANN), &client).await;
    let Err(IdentityError::RateLimited { retry_after_s }) = refused else { panic!("{refused:?}") };
    house.wait(Duration::from_secs(retry_after_s.into()));
    house.identity.register(House::wish(ANN), &client).await.unwrap();
}

#[tokio::test]
async fn whoever_asked_for_a_code_may_try_it_while_strangers_are_limited() {
    let house = House::new();
    house.user(ANN).await;
    let owner = at("192.0.2.1");
    let code = house.ask_code(ANN, &owner).await;
    for number in 0..20 {
        let stranger = at(&format!("198.51.100.{number}"));
        house.identity.verify_log_in(&email(ANN), "100000", &stranger).await.unwrap_err();
    }
    house.identity.verify_log_in(&email(ANN), &code, &owner).await.unwrap();
}

#[tokio::test]
async fn strangers_who_ask_for_resets_keep_no_log_in_code_from_its_owner() {
    let house = House::new();
    house.user(ANN).await;
    for number in 0..12 {
        // Over the limit is refused, which is the point.
        let _ = house.identity.send_reset_code(&email(ANN), &at(&format!("198.51.100.{number}"))).await;
    }
    house.codes(ANN).await;
    house.session(ANN, &at("203.0.113.1")).await;
}

#[tokio::test]
async fn codes_sent_to_one_address_are_limited() {
    let house = House::new();
    let client = at("192.0.2.1");
    house.identity.register(House::wish(ANN), &client).await.unwrap();
    let mut limited = false;
    for _ in 0..10 {
        house.wait(Duration::from_secs(10));
        let asked = house.identity.resend_code(&email(ANN), &client).await;
        limited |= matches!(asked, Err(IdentityError::RateLimited { .. }));
    }
    assert!(limited);
    assert!(house.codes(ANN).await.len() <= 10);
}

#[tokio::test]
async fn registering_is_no_log_in() {
    let house = House::new();
    let user = house.user(ANN).await;
    assert_eq!(house.identity.last_log_in(user.id).await.unwrap(), None);
    house.session(ANN, &at("192.0.2.1")).await;
    assert_eq!(house.identity.last_log_in(user.id).await.unwrap(), Some(house.identity.now()));
}
