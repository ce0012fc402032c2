use std::time::Duration;

use coffer_api::internal::{FeedEvent, SessionTouch};
use coffer_core::ExposeSecret as _;

use super::*;
use crate::domain::events::Origin;
use crate::domain::identity::IdentityError;

#[tokio::test]
async fn a_session_ends_after_an_hour_unused() {
    let house = House::new();
    house.user(ANN).await;
    let opened = house.session(ANN, &at("192.0.2.1")).await;
    house.wait(Duration::from_mins(59));
    assert!(house.is_live(&opened).await);
    house.wait(Duration::from_mins(59));
    assert!(house.is_live(&opened).await, "using it has kept it");
    house.wait(Duration::from_hours(1));
    assert!(!house.is_live(&opened).await);
}

#[tokio::test]
async fn a_session_ends_after_a_day_however_much_it_is_used() {
    let house = House::new();
    house.user(ANN).await;
    let opened = house.session(ANN, &at("192.0.2.1")).await;
    for _ in 0..47 {
        house.wait(Duration::from_mins(30));
        assert!(house.is_live(&opened).await);
    }
    house.wait(Duration::from_mins(30));
    assert!(!house.is_live(&opened).await);
}

#[tokio::test]
async fn a_use_that_another_service_reports_keeps_a_session() {
    let house = House::new();
    house.user(ANN).await;
    let opened = house.session(ANN, &at("192.0.2.1")).await;
    house.wait(Duration::from_mins(50));
    let touch = SessionTouch { session: opened.session, last_used_at: house.identity.now() };
    house.identity.touch_sessions(&[touch]).await.unwrap();
    house.wait(Duration::from_mins(50));
    assert!(house.is_live(&opened).await);
}

#[tokio::test]
async fn a_use_that_is_reported_too_late_wakes_no_session() {
    let house = House::new();
    house.user(ANN).await;
    let opened = house.session(ANN, &at("192.0.2.1")).await;
    house.wait(Duration::from_mins(61));
    let touch = SessionTouch { session: opened.session, last_used_at: house.identity.now() };
    house.identity.touch_sessions(&[touch]).await.unwrap();
    assert!(!house.is_live(&opened).await);
}

#[tokio::test]
async fn a_reported_use_in_the_future_counts_as_now() {
    let house = House::new();
    house.user(ANN).await;
    let opened = house.session(ANN, &at("192.0.2.1")).await;
    house.wait(Duration::from_mins(10));
    let future = house.identity.now().plus(Duration::from_hours(10));
    let touch = SessionTouch { session: opened.session, last_used_at: future };
    house.identity.touch_sessions(&[touch]).await.unwrap();
    house.wait(Duration::from_mins(61));
    assert!(!house.is_live(&opened).await);
}

#[tokio::test]
async fn logging_out_ends_one_session_and_tells_the_feed() {
    let house = House::new();
    let user = house.user(ANN).await;
    let (one, other) =
        (house.session(ANN, &at("192.0.2.1")).await, house.session(ANN, &at("192.0.2.1")).await);
    let before = house.feed.since(None).await.unwrap().position;
    house.identity.end_session(user.id, one.session, &Origin::default()).await.unwrap();
    assert!(!house.is_live(&one).await && house.is_live(&other).await);
    let answer = house.feed.since(Some(before)).await.unwrap();
    assert_eq!(answer.events, [FeedEvent::SessionEnded(one.session); 2], "before and after");
    let listed = house.identity.list_sessions(&user).await.unwrap();
    assert_eq!(listed.iter().map(|view| view.session).collect::<Vec<_>>(), [other.session]);
}

#[tokio::test]
async fn nobody_ends_somebody_elses_session() {
    let house = House::new();
    house.user(ANN).await;
    let ben = house.user("ben@example.com").await;
    let opened = house.session(ANN, &at("192.0.2.1")).await;
    let ended = house.identity.end_session(ben.id, opened.session, &Origin::default()).await;
    assert!(matches!(ended, Err(IdentityError::SessionNotFound)));
    assert!(house.is_live(&opened).await);
}

#[tokio::test]
async fn ending_all_sessions_is_one_change_and_a_new_one_can_begin() {
    let house = House::new();
    let user = house.user(ANN).await;
    let (one, other) =
        (house.session(ANN, &at("192.0.2.1")).await, house.session(ANN, &at("192.0.2.1")).await);
    let before = house.feed.since(None).await.unwrap().position;
    assert_eq!(house.identity.end_all_sessions(&user, &Origin::default()).await.unwrap(), 2);
    assert!(!house.is_live(&one).await && !house.is_live(&other).await);
    let answer = house.feed.since(Some(before)).await.unwrap();
    assert_eq!(answer.events, [FeedEvent::UserChanged(user.id); 2], "before and after");
    let fresh = house.session(ANN, &at("192.0.2.1")).await;
    assert!(house.is_live(&fresh).await);
}

#[tokio::test]
async fn one_session_more_than_allowed_ends_the_oldest() {
    let house = House::with(|auth, _| auth.sessions_per_user_max = 2);
    house.user(ANN).await;
    let mut opened = Vec::new();
    for _ in 0..3 {
        house.wait(Duration::from_mins(1));
        opened.push(house.session(ANN, &at("192.0.2.1")).await);
    }
    assert!(!house.is_live(&opened[0]).await);
    assert!(house.is_live(&opened[1]).await && house.is_live(&opened[2]).await);
}

#[tokio::test]
async fn what_is_no_token_opens_nothing() {
    let house = House::new();
    house.user(ANN).await;
    let opened = house.session(ANN, &at("192.0.2.1")).await;
    let hash = opened.session.to_string();
    for text in ["", "x", hash.as_str(), &opened.token.expose_secret()[1..]] {
        assert!(house.identity.check_session(text).await.unwrap().is_none(), "{text:?}");
    }
}
