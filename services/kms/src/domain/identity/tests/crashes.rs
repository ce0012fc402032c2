//! A process may die between any two commits.

use std::time::Duration;

use coffer_auth::code::Purpose;
use coffer_core::UserId;

use super::house::email;
use super::*;
use crate::domain::identity::creation::Proved;
use crate::repo::address::{AddressChange, Claim};
use crate::repo::user::Creation;

#[tokio::test]
async fn a_crashed_registration_does_not_block_the_address() {
    // Died after the letter was put in the queue and before the code was in the store.
    let house = House::new();
    let client = at("192.0.2.1");
    let hash = house.identity.blind(&email(ANN));
    let digits = coffer_auth::code::OneTimeCode::parse("123456").unwrap();
    let now = house.identity.now();
    let mail = crate::domain::mail::CodeMail {
        to: email(ANN),
        account: hash,
        purpose: Purpose::Registration,
        id: coffer_core::CodeId::make(now, &*house.store.random),
        digits,
        expires_at: now.plus(Duration::from_mins(10)),
    };
    house.identity.outbox.hold(mail).await.unwrap();
    house.identity.register(House::wish(ANN), &client).await.unwrap();
    assert_eq!(house.codes(ANN).await.len(), 1, "the letter without a code does not leave");
    house.wait(Duration::from_secs(6));
    assert_eq!(house.codes(ANN).await.len(), 1);
    assert_eq!(house.store.dump(crate::repo::tables::MAIL).await, "", "and is dropped");
}

/// Claims Ann's address for the pending user, as the first step of completing a registration does.
async fn claim_only(house: &House) -> (String, UserId) {
    let client = at("192.0.2.1");
    house.identity.register(House::wish(ANN), &client).await.unwrap();
    let code = house.code(ANN).await;
    let hash = house.identity.blind(&email(ANN));
    let state = house.identity.addresses.load(&hash).await.unwrap();
    let user_id = state.pending.unwrap().value.user_id;
    let claim = Claim { user_id, verified: true, claimed_at: house.identity.now() };
    let change = AddressChange::new().claim_unchanged(None).put_claim(&claim);
    assert!(house.identity.addresses.commit(&hash, change).await.unwrap());
    (code, user_id)
}

#[tokio::test]
async fn a_registration_that_died_after_its_claim_is_completed_by_the_same_code() {
    let house = House::new();
    let (code, user_id) = claim_only(&house).await;
    let verified = house.identity.verify_registration(&email(ANN), &code, &at("192.0.2.1")).await;
    assert_eq!(verified.unwrap().id, user_id);
    house.session(ANN, &at("192.0.2.1")).await;
}

#[tokio::test]
async fn a_registration_that_died_after_its_user_was_made_is_completed_by_the_same_code() {
    let house = House::new();
    let (code, user_id) = claim_only(&house).await;
    let hash = house.identity.blind(&email(ANN));
    let pending = house.identity.addresses.load(&hash).await.unwrap().pending.unwrap().value;
    let proved = Proved { address: true, password: true };
    let made = house.identity.make_user((&email(ANN), proved), &pending).await.unwrap().unwrap();
    let verified = house.identity.verify_registration(&email(ANN), &code, &at("192.0.2.1")).await.unwrap();
    assert_eq!((verified.id, verified.number), (user_id, made.number));
}

#[tokio::test]
async fn a_claim_whose_user_was_never_made_is_taken_over_for_good() {
    let house = House::new();
    let (_, dead) = claim_only(&house).await;
    house.wait(Duration::from_mins(11));
    let user = house.user(ANN).await;
    assert_ne!(user.id, dead);
    // The process that seemed dead goes on: its user must not appear.
    let late = crate::repo::user::Profile { id: dead, ..user.clone() };
    assert_eq!(house.identity.users.create(&late).await.unwrap(), Creation::Tombstoned);
    let found = house.identity.user_by_email(&email(ANN)).await.unwrap().unwrap();
    assert_eq!(found.id, user.id);
}

#[tokio::test]
async fn a_registration_whose_id_was_buried_goes_on_under_another() {
    let house = House::new();
    let client = at("192.0.2.1");
    house.identity.register(House::wish(ANN), &client).await.unwrap();
    let code = house.code(ANN).await;
    let hash = house.identity.blind(&email(ANN));
    let buried = house.identity.addresses.load(&hash).await.unwrap().pending.unwrap().value.user_id;
    assert!(house.identity.users.bury(buried).await.unwrap());
    let user = house.identity.verify_registration(&email(ANN), &code, &client).await.unwrap();
    assert_ne!(user.id, buried);
}

#[tokio::test]
async fn a_number_without_its_user_is_passed_over() {
    let house = House::new();
    house.identity.numbers.assign(UserId::from_bytes([8; 16])).await.unwrap();
    let user = house.user(ANN).await;
    let listed = house.identity.list_users(0, 10).await.unwrap();
    assert_eq!(listed.items.iter().map(|user| user.number).collect::<Vec<_>>(), [user.number]);
}
