//! The rules of the session and access caches, tried on a KMS that the test moves.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use coffer_api::grants::Permission;
use coffer_api::internal::{Access, AccessSubject, BATCH_ITEMS_MAX, FeedEvent};
use coffer_core::FileName;

use super::access::Resolved;
use super::follower::Follower;
use super::sessions::SessionError;
use super::testing::{IDLE, START, World, user};

fn name(text: &str) -> FileName {
    text.parse().unwrap()
}

async fn resolve(world: &World, token: &str, file: &str) -> Resolved {
    let caller = world.sessions.check(token).await.unwrap();
    world.access.resolve(&caller, &name(file), None, Permission::Read).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_session_is_asked_for_once_and_then_known() {
    let world = World::new().await;
    world.kms.log_in("token", user(1));
    for _ in 0..3 {
        assert_eq!(world.sessions.check("token").await.unwrap().user_id, user(1));
    }
    assert_eq!(world.kms.session_checks.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn no_session_is_accepted_before_the_feed_is_followed() {
    let world = World::stale();
    world.kms.log_in("token", user(1));
    assert!(matches!(world.sessions.check("token").await, Err(SessionError::Stale)));
}

#[tokio::test(start_paused = true)]
async fn a_known_session_is_refused_two_seconds_after_the_kms_is_gone() {
    let mut world = World::new().await;
    world.kms.log_in("token", user(1));
    world.sessions.check("token").await.unwrap();
    world.kms.is_gone.store(true, Ordering::SeqCst);
    world.pass(Duration::from_millis(1999)).await;
    assert!(world.follower.poll().await.is_err());
    assert!(world.sessions.check("token").await.is_ok());
    world.pass(Duration::from_millis(1)).await;
    assert!(matches!(world.sessions.check("token").await, Err(SessionError::Stale)));
    world.kms.is_gone.store(false, Ordering::SeqCst);
    world.follower.poll().await.unwrap();
    assert!(world.sessions.check("token").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_session_is_not_accepted_while_the_kms_is_gone() {
    let world = World::new().await;
    world.kms.is_gone.store(true, Ordering::SeqCst);
    assert!(matches!(world.sessions.check("token").await, Err(SessionError::Kms(_))));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ended_is_refused_after_the_next_poll() {
    let mut world = World::new().await;
    world.kms.log_in("token", user(1));
    world.kms.log_in("other", user(1));
    world.sessions.check("token").await.unwrap();
    world.sessions.check("other").await.unwrap();
    world.kms.log_out("token");
    world.follower.poll().await.unwrap();
    assert!(matches!(world.sessions.check("token").await, Err(SessionError::Invalid)));
    world.kms.sessions.lock().unwrap().clear();
    assert!(world.sessions.check("other").await.is_ok(), "another session of the same user stays known");
}

#[tokio::test(start_paused = true)]
async fn a_changed_user_is_forgotten_with_all_sessions_and_access() {
    let mut world = World::new().await;
    let found = Access::Found { space: user(2), expires_at: None };
    world.kms.log_in("token", user(1));
    world.kms.set_access("f", None, found);
    assert_eq!(resolve(&world, "token", "f").await, Resolved::In(user(2)));
    world.kms.tell(FeedEvent::UserChanged(user(1)));
    world.follower.poll().await.unwrap();
    assert_eq!(resolve(&world, "token", "f").await, Resolved::In(user(2)));
    assert_eq!(world.kms.session_checks.load(Ordering::SeqCst), 2);
    assert_eq!(world.kms.access_checks.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_an_event_has_overtaken_is_not_kept() {
    let mut world = World::new().await;
    world.kms.log_in("token", user(1));
    // The KMS finds the session alive, but its answer is slow on the way.
    world.kms.answers.forget_permits(usize::MAX);
    let sessions = Arc::clone(&world.sessions);
    let asked = tokio::spawn(async move { sessions.check("token").await.map(|session| session.user_id) });
    while world.kms.session_checks.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    world.kms.log_out("token");
    world.follower.poll().await.unwrap();
    world.kms.answers.add_permits(1000);
    assert_eq!(asked.await.unwrap().unwrap(), user(1), "the request that asked before is served");
    assert!(matches!(world.sessions.check("token").await, Err(SessionError::Invalid)));
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_begins_anew_empties_everything() {
    let mut world = World::new().await;
    world.kms.log_in("token", user(1));
    world.sessions.check("token").await.unwrap();
    world.kms.tell(FeedEvent::UserChanged(user(9)));
    *world.kms.feed_begins.lock().unwrap() = 1;
    world.follower.poll().await.unwrap();
    world.kms.sessions.lock().unwrap().clear();
    assert!(matches!(world.sessions.check("token").await, Err(SessionError::Invalid)));
}

#[tokio::test(start_paused = true)]
async fn a_long_feed_is_read_to_its_end_in_one_poll() {
    let mut world = World::new().await;
    world.kms.log_in("token", user(1));
    world.sessions.check("token").await.unwrap();
    (0..BATCH_ITEMS_MAX).for_each(|_| world.kms.tell(FeedEvent::UserChanged(user(9))));
    world.kms.log_out("token");
    world.follower.poll().await.unwrap();
    assert!(matches!(world.sessions.check("token").await, Err(SessionError::Invalid)));
}

#[tokio::test(start_paused = true)]
async fn a_revoked_session_is_refused_within_two_seconds_while_the_follower_runs() {
    let world = World::stale();
    let (sessions, access) = (Arc::clone(&world.sessions), Arc::clone(&world.access));
    let follower = Follower::new(world.kms.clone(), world.freshness.clone(), sessions, access);
    tokio::spawn(follower.run());
    tokio::time::sleep(Duration::from_millis(1)).await;
    world.kms.log_in("token", user(1));
    world.sessions.check("token").await.unwrap();
    world.kms.log_out("token");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(matches!(world.sessions.check("token").await, Err(SessionError::Invalid)));
}

#[tokio::test(start_paused = true)]
async fn a_session_in_use_outlives_its_first_idle_time_and_an_unused_one_does_not() {
    let mut world = World::new().await;
    world.kms.log_in("used", user(1));
    world.kms.log_in("unused", user(1));
    world.sessions.check("unused").await.unwrap();
    for _ in 0..3 {
        world.sessions.check("used").await.unwrap();
        world.pass(IDLE / 2).await;
        world.follower.poll().await.unwrap();
    }
    assert!(world.sessions.check("used").await.is_ok());
    assert!(matches!(world.sessions.check("unused").await, Err(SessionError::Invalid)));
}

#[tokio::test(start_paused = true)]
async fn uses_are_reported_in_batches_and_not_for_every_request() {
    let world = World::new().await;
    world.kms.log_in("token", user(1));
    for _ in 0..1000 {
        world.sessions.check("token").await.unwrap();
    }
    world.touches.report_now().await.unwrap();
    assert_eq!(world.kms.touches.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_use_that_could_not_be_reported_is_reported_later() {
    let world = World::new().await;
    world.kms.log_in("token", user(1));
    world.sessions.check("token").await.unwrap();
    world.kms.is_gone.store(true, Ordering::SeqCst);
    assert!(world.touches.report_now().await.is_err());
    world.kms.is_gone.store(false, Ordering::SeqCst);
    world.touches.report_now().await.unwrap();
    assert_eq!(world.kms.touches.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn revoked_access_is_refused_after_the_next_poll() {
    let mut world = World::new().await;
    world.kms.log_in("token", user(1));
    world.kms.set_access("f", None, Access::Found { space: user(2), expires_at: None });
    assert_eq!(resolve(&world, "token", "f").await, Resolved::In(user(2)));
    assert_eq!(resolve(&world, "token", "f").await, Resolved::In(user(2)));
    assert_eq!(world.kms.access_checks.load(Ordering::SeqCst), 1);
    let address = world.sessions.check("token").await.unwrap().address_hash;
    world.kms.set_access("f", None, Access::Denied);
    world.kms.tell(FeedEvent::AccessChanged(AccessSubject::Address(address)));
    world.follower.poll().await.unwrap();
    assert_eq!(resolve(&world, "token", "f").await, Resolved::Denied);
}

#[tokio::test(start_paused = true)]
async fn a_grant_works_as_soon_as_it_is_made() {
    let world = World::new().await;
    world.kms.log_in("token", user(1));
    assert_eq!(resolve(&world, "token", "f").await, Resolved::NotFound);
    world.kms.set_access("f", None, Access::Found { space: user(2), expires_at: None });
    assert_eq!(resolve(&world, "token", "f").await, Resolved::In(user(2)));
}

#[tokio::test(start_paused = true)]
async fn a_grant_ends_at_its_moment_without_any_event() {
    let mut world = World::new().await;
    world.kms.log_in("token", user(1));
    let end = START.plus(Duration::from_millis(500));
    world.kms.set_access("f", None, Access::Found { space: user(2), expires_at: Some(end) });
    assert_eq!(resolve(&world, "token", "f").await, Resolved::In(user(2)));
    world.pass(Duration::from_millis(500)).await;
    world.follower.poll().await.unwrap();
    assert_eq!(resolve(&world, "token", "f").await, Resolved::Denied);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_long_or_empty_for_a_token_is_not_even_asked_about() {
    let world = World::new().await;
    for token in ["", &"x".repeat(257)] {
        assert!(matches!(world.sessions.check(token).await, Err(SessionError::Invalid)));
    }
    assert_eq!(world.kms.session_checks.load(Ordering::SeqCst), 0);
}
