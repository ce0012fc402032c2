//! The rules of cached access, tried on a KMS that the test moves.

use std::sync::atomic::Ordering;
use std::time::Duration;

use coffer_api::grants::Permission;
use coffer_api::internal::{Access, AccessSubject, FeedEvent};
use coffer_core::FileName;
use coffer_kms_link::testing::{START, user};

use super::access::Resolved;
use super::testing::World;

fn name(text: &str) -> FileName {
    text.parse().unwrap()
}

async fn resolve(world: &World, token: &str, file: &str) -> Resolved {
    let caller = world.link.sessions().check(token).await.unwrap();
    world.access.resolve(&caller, &name(file), None, Permission::Read).await.unwrap()
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
async fn revoked_access_is_refused_after_the_next_poll() {
    let mut world = World::new().await;
    world.kms.log_in("token", user(1));
    world.kms.set_access("f", None, Access::Found { space: user(2), expires_at: None });
    assert_eq!(resolve(&world, "token", "f").await, Resolved::In(user(2)));
    assert_eq!(resolve(&world, "token", "f").await, Resolved::In(user(2)));
    assert_eq!(world.kms.access_checks.load(Ordering::SeqCst), 1);
    let address = world.link.sessions().check("token").await.unwrap().address_hash;
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
async fn access_whose_end_the_feed_never_told_is_refused_after_a_minute() {
    let mut world = World::new().await;
    world.kms.log_in("token", user(1));
    world.kms.set_access("f", None, Access::Found { space: user(2), expires_at: None });
    assert_eq!(resolve(&world, "token", "f").await, Resolved::In(user(2)));
    // The KMS took it away and died before it could tell.
    world.kms.set_access("f", None, Access::Denied);
    world.pass(Duration::from_secs(59)).await;
    world.follower.poll().await.unwrap();
    assert_eq!(resolve(&world, "token", "f").await, Resolved::In(user(2)));
    world.pass(Duration::from_secs(1)).await;
    world.follower.poll().await.unwrap();
    assert_eq!(resolve(&world, "token", "f").await, Resolved::Denied);
}
