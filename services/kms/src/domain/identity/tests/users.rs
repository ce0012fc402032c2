use coffer_api::Role;
use coffer_api::internal::FeedEvent;
use coffer_core::UserId;

use super::house::email;
use super::*;
use crate::domain::events::Origin;
use crate::domain::identity::{AdminWish, IdentityError, UserChange};
use crate::repo::user::Profile;

async fn admin(house: &House) -> Profile {
    let wish = AdminWish { email: email("root@example.com"), password: Some(password(PASSWORD)) };
    house.identity.make_admin(wish).await.unwrap().user
}

async fn change(house: &House, by: UserId, id: UserId, to: UserChange) -> Result<Profile, IdentityError> {
    house.identity.administer((by, id), to, &Origin::default()).await
}

#[tokio::test]
async fn a_deactivated_user_is_out_at_once_and_back_only_by_logging_in() {
    let house = House::new();
    let (admin, user) = (admin(&house).await, house.user(ANN).await);
    let client = at("192.0.2.1");
    let opened = house.session(ANN, &client).await;
    let code = house.ask_code(ANN, &client).await;
    let before = house.feed.since(None).await.unwrap().position;
    let off = UserChange { active: Some(false), ..UserChange::default() };
    change(&house, admin.id, user.id, off).await.unwrap();
    assert!(!house.is_live(&opened).await);
    let told = house.feed.since(Some(before)).await.unwrap().events;
    assert_eq!(told, [FeedEvent::UserChanged(user.id); 2], "before and after");
    let verified = house.identity.verify_log_in(&email(ANN), &code, &client).await;
    assert!(matches!(verified, Err(IdentityError::OtpFailed)));
    let refused = house.identity.log_in(&email(ANN), password(PASSWORD), &client).await;
    assert!(matches!(refused, Err(IdentityError::LogInFailed)));

    let on = UserChange { active: Some(true), ..UserChange::default() };
    change(&house, admin.id, user.id, on).await.unwrap();
    assert!(!house.is_live(&opened).await, "an ended session stays ended");
    house.session(ANN, &client).await;
    let kinds = house.event_kinds().await;
    assert!(kinds.contains(&"user_deactivated".to_owned()) && kinds.contains(&"user_activated".to_owned()));
}

#[tokio::test]
async fn a_role_changes_at_once_in_open_sessions() {
    let house = House::new();
    let (admin, user) = (admin(&house).await, house.user(ANN).await);
    let opened = house.session(ANN, &at("192.0.2.1")).await;
    let to = UserChange { role: Some(Role::Supervisor), ..UserChange::default() };
    change(&house, admin.id, user.id, to).await.unwrap();
    let live = house.identity.live_user(opened.session).await.unwrap().unwrap();
    assert_eq!(live.principal().role, Role::Supervisor);
}

#[tokio::test]
async fn the_last_administrator_cannot_be_removed() {
    let house = House::new();
    let (admin, user) = (admin(&house).await, house.user(ANN).await);
    let demote = UserChange { role: Some(Role::Employee), ..UserChange::default() };
    let off = UserChange { active: Some(false), ..UserChange::default() };
    for to in [demote, off] {
        let refused = change(&house, admin.id, admin.id, to).await;
        assert!(matches!(refused, Err(IdentityError::LastAdmin)));
    }
    let promote = UserChange { role: Some(Role::Admin), ..UserChange::default() };
    change(&house, admin.id, user.id, promote).await.unwrap();
    change(&house, user.id, admin.id, demote).await.unwrap();
}

#[tokio::test]
async fn nobody_by_that_id_is_not_found() {
    let house = House::new();
    let admin = admin(&house).await;
    let nobody = UserId::from_bytes([9; 16]);
    let changed = change(&house, admin.id, nobody, UserChange::default()).await;
    assert!(matches!(changed, Err(IdentityError::UserNotFound)));
}

#[tokio::test]
async fn users_are_listed_by_number_in_pages() {
    let house = House::with(|_, limits| limits.auth_per_address_max = 1000);
    for number in 0..5 {
        house.user(&format!("user{number}@example.com")).await;
    }
    let first = house.identity.list_users(0, 3).await.unwrap();
    let second = house.identity.list_users(first.next.unwrap(), 3).await.unwrap();
    let numbers = first.items.iter().chain(&second.items).map(|user| user.number).collect::<Vec<_>>();
    assert_eq!((numbers, second.next), (vec![1, 2, 3, 4, 5], None));
}

#[tokio::test]
async fn the_first_administrator_is_made_on_the_command_line() {
    let house = House::new();
    let client = at("192.0.2.1");
    let wish = AdminWish { email: email(ANN), password: Some(password(PASSWORD)) };
    let made = house.identity.make_admin(wish).await.unwrap();
    assert!(made.created && made.user.role == Role::Admin);
    house.session(ANN, &client).await;
}

#[tokio::test]
async fn an_administrator_without_a_password_is_sent_a_code_that_sets_one() {
    let house = House::new();
    let client = at("192.0.2.1");
    let wish = AdminWish { email: email(ANN), password: None };
    assert!(house.identity.make_admin(wish).await.unwrap().user.password.is_none());
    house.identity.log_in(&email(ANN), password(PASSWORD), &client).await.unwrap_err();
    let code = house.code(ANN).await;
    house.identity.reset_password((&email(ANN), &code), password(PASSWORD), &client).await.unwrap();
    house.session(ANN, &client).await;
}

#[tokio::test]
async fn an_existing_user_is_promoted_and_keeps_the_password() {
    let house = House::new();
    let user = house.user(ANN).await;
    let made = house.identity.make_admin(AdminWish { email: email(ANN), password: None }).await.unwrap();
    assert!(!made.created && made.user.id == user.id && made.user.role == Role::Admin);
    house.session(ANN, &at("192.0.2.1")).await;
}

#[tokio::test]
async fn a_pending_registration_does_not_stand_in_an_administrators_way() {
    let house = House::new();
    let client = at("192.0.2.1");
    house.identity.register(House::wish(ANN), &client).await.unwrap();
    let code = house.code(ANN).await;
    let wish = AdminWish { email: email(ANN), password: Some(password("an operator's password")) };
    let made = house.identity.make_admin(wish).await.unwrap();
    house.identity.verify_registration(&email(ANN), &code, &client).await.unwrap_err();
    let found = house.identity.user_by_email(&email(ANN)).await.unwrap().unwrap();
    assert_eq!(found.id, made.user.id);
}
