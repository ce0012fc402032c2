use coffer_api::Amr;
use coffer_core::ExposeSecret as _;

use super::house::email;
use super::*;
use crate::config::EmailOtp;
use crate::domain::identity::{IdentityError, LogInOutcome, Surface};

#[tokio::test]
async fn a_password_and_a_code_open_a_session() {
    let house = House::new();
    let user = house.user(ANN).await;
    let opened = house.session(ANN, &at("192.0.2.1")).await;
    let live = house.identity.check_session(opened.token.expose_secret()).await.unwrap().unwrap();
    assert_eq!((live.user.id, live.stored.amr.as_slice()), (user.id, [Amr::Pwd, Amr::Otp].as_slice()));
    assert!(live.principal().second_factor);
    assert_eq!(house.event_kinds().await[..3], ["login_succeeded", "code_sent", "password_accepted"]);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_refused_alike() {
    let house = House::new();
    house.user(ANN).await;
    for (to, text) in [(ANN, "wrong horse battery"), ("nobody@example.com", PASSWORD)] {
        let refused = house.identity.log_in(&email(to), password(text), &at("192.0.2.1")).await;
        assert!(matches!(refused, Err(IdentityError::LogInFailed)));
    }
    assert!(house.codes("nobody@example.com").await.is_empty());
}

#[tokio::test]
async fn a_pending_registration_does_not_log_in() {
    let house = House::new();
    let client = at("192.0.2.1");
    house.identity.register(House::wish(ANN), &client).await.unwrap();
    let refused = house.identity.log_in(&email(ANN), password(PASSWORD), &client).await;
    assert!(matches!(refused, Err(IdentityError::LogInFailed)));
}

#[tokio::test]
async fn where_codes_are_optional_the_password_opens_a_session_without_a_second_factor() {
    let house = House::with(|auth, _| auth.email_otp = EmailOtp::Optional);
    house.user(ANN).await;
    let client = at("192.0.2.1");
    let outcome = house.identity.log_in(&email(ANN), password(PASSWORD), &client).await.unwrap();
    let LogInOutcome::Opened(opened) = outcome else { panic!("{outcome:?}") };
    let live = house.identity.check_session(opened.token.expose_secret()).await.unwrap().unwrap();
    assert!(!live.principal().second_factor);

    let contract = crate::domain::identity::Client { surface: Surface::Contract, ..client };
    let outcome = house.identity.log_in(&email(ANN), password(PASSWORD), &contract).await.unwrap();
    assert!(matches!(outcome, LogInOutcome::CodeSent(_)), "the contract always uses a code");
}

#[tokio::test]
async fn a_native_log_in_makes_the_device_known_and_a_known_one_stays_the_same() {
    let house = House::new();
    house.user(ANN).await;
    let first = house.session(ANN, &at("192.0.2.1")).await;
    let device = first.device.expect("a new device");
    let again = at("198.51.100.1").with_device(Some(device.expose_secret()));
    let second = house.session(ANN, &again).await;
    assert!(second.device.is_none(), "the device is known");
    let made_up = coffer_auth::token::OpaqueToken::make(&*house.store.random).into_text();
    let stranger = at("198.51.100.2").with_device(Some(made_up.expose_secret()));
    assert!(house.session(ANN, &stranger).await.device.is_some(), "nobody chooses a device's token");
}

#[tokio::test]
async fn a_password_hash_of_another_cost_is_renewed_by_logging_in() {
    let house = House::new();
    let user = house.user(ANN).await;
    let dearer = House::on(house.store.clone(), house.store.sealed.clone(), |auth, _| auth.bcrypt_cost = 5);
    dearer.ask_code(ANN, &at("192.0.2.1")).await;
    let renewed = dearer.identity.user(user.id).await.unwrap().unwrap().password.unwrap();
    assert!(renewed.as_str().starts_with("$2b$05$"));
    dearer.ask_code(ANN, &at("192.0.2.1")).await;
}
