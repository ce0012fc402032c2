//! What unwrapping may be told of a session. Tokio's time stands still too, so that only the tests' clock passes.

use std::time::Duration;

use coffer_api::Role;
use coffer_core::ExposeSecret as _;

use super::house::email;
use super::*;
use crate::domain::events::Origin;
use crate::domain::identity::{AdminWish, OpenedSession, UserChange};
use crate::domain::recent::REMEMBERED;
use crate::repo::tables::{SESSION, USER};
use crate::repo::user::Profile;

const OFF: UserChange = UserChange { role: None, active: Some(false) };

async fn role(house: &House, opened: &OpenedSession) -> Option<Role> {
    let principal = house.identity.lately_live(opened.token.expose_secret()).await.unwrap();
    principal.map(|principal| principal.role)
}

/// How often sessions and users were read since this was last asked.
fn reads(house: &House) -> usize {
    let calls = house.store.records.take();
    calls.0.iter().filter(|call| [SESSION, USER].contains(&call.table)).count()
}

/// Two processes, Ann, and a session of hers that both have just read.
async fn remembered() -> ([House; 2], Profile, OpenedSession) {
    let one = House::new();
    let other = one.replica();
    let ann = one.user(ANN).await;
    let opened = one.session(ANN, &at("192.0.2.1")).await;
    for house in [&one, &other] {
        assert_eq!(role(house, &opened).await, Some(Role::Employee));
        house.store.records.take();
        assert_eq!((role(house, &opened).await, reads(house)), (Some(Role::Employee), 0));
    }
    ([one, other], ann, opened)
}

/// Takes something away at the first of two processes, and sees what is left at both.
async fn is_over_here_at_once_and_elsewhere_within_a_second(
    take: impl AsyncFnOnce(&House, &Profile, &OpenedSession),
) {
    let ([one, other], ann, opened) = remembered().await;
    take(&one, &ann, &opened).await;
    assert_eq!(role(&one, &opened).await, None, "at once where it was taken away");
    one.wait(REMEMBERED);
    assert_eq!(role(&other, &opened).await, None, "within a second elsewhere");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_ended() {
    is_over_here_at_once_and_elsewhere_within_a_second(async |house, ann, opened| {
        house.identity.end_session(ann.id, opened.session, &Origin::default()).await.unwrap();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn every_session_of_whoever_ended_all() {
    is_over_here_at_once_and_elsewhere_within_a_second(async |house, ann, _| {
        house.identity.end_all_sessions(ann, &Origin::default()).await.unwrap();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_session_from_before_the_password_was_changed_elsewhere() {
    is_over_here_at_once_and_elsewhere_within_a_second(async |house, _, _| {
        let fresh = house.session(ANN, &at("192.0.2.1")).await;
        let live = house.identity.live_user(fresh.session).await.unwrap().unwrap();
        let (old, new) = (password(PASSWORD), password("another horse battery"));
        house.identity.change_password(&live, (old, new), &at("192.0.2.1")).await.unwrap();
        assert_eq!(role(house, &fresh).await, Some(Role::Employee), "her own session goes on");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_session_of_somebody_who_was_deactivated() {
    is_over_here_at_once_and_elsewhere_within_a_second(async |house, ann, _| {
        let wish = AdminWish { email: email("root@example.com"), password: Some(password(PASSWORD)) };
        let admin = house.identity.make_admin(wish).await.unwrap().user;
        house.identity.administer((admin.id, ann.id), OFF, &Origin::default()).await.unwrap();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_role_changes_here_at_once_and_elsewhere_within_a_second() {
    let ([one, other], ann, opened) = remembered().await;
    let to = UserChange { role: Some(Role::Contractor), active: None };
    one.identity.administer((ann.id, ann.id), to, &Origin::default()).await.unwrap();
    assert_eq!(role(&one, &opened).await, Some(Role::Contractor));
    one.wait(REMEMBERED);
    assert_eq!(role(&other, &opened).await, Some(Role::Contractor));
}

#[tokio::test(start_paused = true)]
async fn after_a_second_the_store_is_asked_and_a_use_that_is_due_is_written_as_ever() {
    let ([one, _], _, opened) = remembered().await;
    one.wait(REMEMBERED.checked_sub(Duration::from_millis(1)).unwrap());
    assert_eq!((role(&one, &opened).await, reads(&one)), (Some(Role::Employee), 0));
    one.wait(Duration::from_millis(1));
    assert_eq!((role(&one, &opened).await, reads(&one)), (Some(Role::Employee), 2));
    // Used every half second for two hours: never idle for one.
    for _ in 0..4 * 3600 {
        one.wait(Duration::from_millis(500));
        assert_eq!(role(&one, &opened).await, Some(Role::Employee));
    }
    one.wait(Duration::from_hours(1));
    assert_eq!(role(&one, &opened).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_short_idle_time_is_kept_as_if_nothing_were_remembered() {
    let house = House::with(|auth, _| auth.session_ttl_s = 4);
    house.user(ANN).await;
    let opened = house.session(ANN, &at("192.0.2.1")).await;
    for _ in 0..100 {
        house.wait(Duration::from_millis(190));
        assert_eq!(role(&house, &opened).await, Some(Role::Employee));
    }
    // The last use is known to a twentieth of the idle time.
    house.wait(Duration::from_millis(3799));
    assert!(house.is_live(&opened).await);
    house.wait(Duration::from_secs(4));
    assert_eq!(role(&house, &opened).await, None);
}

#[tokio::test(start_paused = true)]
async fn nothing_but_unwrapping_is_told_what_is_remembered() {
    let ([one, other], ann, opened) = remembered().await;
    one.identity.end_session(ann.id, opened.session, &Origin::default()).await.unwrap();
    assert!(role(&other, &opened).await.is_some(), "it does remember");
    assert!(!other.is_live(&opened).await);
}
