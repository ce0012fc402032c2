//! The rules of sessions, tried on a KMS that the test moves.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coffer_api::AddressHash;
use coffer_api::internal::{AccessSubject, BATCH_ITEMS_MAX, FeedEvent};
use coffer_auth::service_token::{ServiceName, ServiceSecret};
use coffer_core::{ManualClock, SecretString, UserId};

use crate::testing::{FakeKms, IDLE, SERVICE_SECRET, START, address_of, user};
use crate::{ANSWER_AGE_MAX, Dependent, Follower, Keys, Link, SessionError};

/// A link with a clock and a KMS that the test moves.
struct World {
    kms: Arc<FakeKms>,
    clock: Arc<ManualClock>,
    link: Link,
    follower: Follower,
}

impl World {
    /// A world that has not yet polled the feed.
    fn stale() -> Self {
        let kms = Arc::new(FakeKms::of(ServiceName::Data));
        let clock = Arc::new(ManualClock::at(START));
        let link = Link::new(kms.clone(), clock.clone());
        let follower = link.follower(Vec::new());
        Self { kms, clock, link, follower }
    }

    /// A world that follows the feed.
    async fn new() -> Self {
        let mut world = Self::stale();
        world.follower.poll().await.unwrap();
        world
    }

    /// Lets time pass, by the wall clock and by the monotonic one.
    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        tokio::time::advance(time).await;
    }
}

/// The users of whom something is remembered.
#[derive(Debug, Default)]
struct Remembered(Mutex<HashSet<UserId>>);

impl Remembered {
    fn of(numbers: impl IntoIterator<Item = u64>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(numbers.into_iter().map(user).collect())))
    }

    fn left(&self) -> HashSet<UserId> {
        self.0.lock().unwrap().clone()
    }
}

impl Dependent for Remembered {
    fn retain(&self, keep: &mut dyn FnMut(UserId, &AddressHash) -> bool) {
        self.0.lock().unwrap().retain(|user| keep(*user, &address_of(*user)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_is_asked_for_once_and_then_known() {
    let world = World::new().await;
    world.kms.log_in("token", user(1));
    for _ in 0..3 {
        assert_eq!(world.link.sessions().check("token").await.unwrap().user_id, user(1));
    }
    assert_eq!(world.kms.session_checks.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_end_the_feed_never_told_is_refused_after_a_minute() {
    let mut world = World::new().await;
    world.kms.log_in("token", user(1));
    world.link.sessions().check("token").await.unwrap();
    // The KMS ended it and died before it could tell.
    world.kms.sessions.lock().unwrap().clear();
    world.pass(ANSWER_AGE_MAX.saturating_sub(Duration::from_millis(1))).await;
    world.follower.poll().await.unwrap();
    world.link.sessions().check("token").await.unwrap();
    world.pass(Duration::from_millis(1)).await;
    assert!(matches!(world.link.sessions().check("token").await, Err(SessionError::Invalid)));
}

#[tokio::test(start_paused = true)]
async fn no_session_is_accepted_before_the_feed_is_followed() {
    let world = World::stale();
    world.kms.log_in("token", user(1));
    assert!(matches!(world.link.sessions().check("token").await, Err(SessionError::Stale)));
}

#[tokio::test(start_paused = true)]
async fn a_known_session_is_refused_two_seconds_after_the_kms_is_gone() {
    let mut world = World::new().await;
    world.kms.log_in("token", user(1));
    world.link.sessions().check("token").await.unwrap();
    world.kms.is_gone.store(true, Ordering::SeqCst);
    world.pass(Duration::from_millis(1999)).await;
    assert!(world.follower.poll().await.is_err());
    assert!(world.link.sessions().check("token").await.is_ok());
    world.pass(Duration::from_millis(1)).await;
    assert!(matches!(world.link.sessions().check("token").await, Err(SessionError::Stale)));
    world.kms.is_gone.store(false, Ordering::SeqCst);
    world.follower.poll().await.unwrap();
    assert!(world.link.sessions().check("token").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_session_is_not_accepted_while_the_kms_is_gone() {
    let world = World::new().await;
    world.kms.is_gone.store(true, Ordering::SeqCst);
    assert!(matches!(world.link.sessions().check("token").await, Err(SessionError::Kms(_))));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ended_is_refused_after_the_next_poll() {
    let mut world = World::new().await;
    world.kms.log_in("token", user(1));
    world.kms.log_in("other", user(1));
    world.link.sessions().check("token").await.unwrap();
    world.link.sessions().check("other").await.unwrap();
    world.kms.log_out("token");
    world.follower.poll().await.unwrap();
    assert!(matches!(world.link.sessions().check("token").await, Err(SessionError::Invalid)));
    world.kms.sessions.lock().unwrap().clear();
    assert!(
        world.link.sessions().check("other").await.is_ok(),
        "another session of the same user stays known"
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_an_event_has_overtaken_is_not_kept() {
    let mut world = World::new().await;
    world.kms.log_in("token", user(1));
    // The KMS finds the session alive, but its answer is slow on the way.
    world.kms.answers.forget_permits(usize::MAX);
    let sessions = Arc::clone(world.link.sessions());
    let asked = tokio::spawn(async move { sessions.check("token").await.map(|session| session.user_id) });
    while world.kms.session_checks.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    world.kms.log_out("token");
    world.follower.poll().await.unwrap();
    world.kms.answers.add_permits(1000);
    assert_eq!(asked.await.unwrap().unwrap(), user(1), "the request that asked before is served");
    assert!(matches!(world.link.sessions().check("token").await, Err(SessionError::Invalid)));
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_begins_anew_empties_everything() {
    let mut world = World::new().await;
    world.kms.log_in("token", user(1));
    world.link.sessions().check("token").await.unwrap();
    world.kms.tell(FeedEvent::UserChanged(user(9)));
    *world.kms.feed_begins.lock().unwrap() = 1;
    world.follower.poll().await.unwrap();
    world.kms.sessions.lock().unwrap().clear();
    assert!(matches!(world.link.sessions().check("token").await, Err(SessionError::Invalid)));
}

#[tokio::test(start_paused = true)]
async fn a_long_feed_is_read_to_its_end_in_one_poll() {
    let mut world = World::new().await;
    world.kms.log_in("token", user(1));
    world.link.sessions().check("token").await.unwrap();
    (0..BATCH_ITEMS_MAX).for_each(|_| world.kms.tell(FeedEvent::UserChanged(user(9))));
    world.kms.log_out("token");
    world.follower.poll().await.unwrap();
    assert!(matches!(world.link.sessions().check("token").await, Err(SessionError::Invalid)));
}

#[tokio::test(start_paused = true)]
async fn a_revoked_session_is_refused_within_two_seconds_while_the_follower_runs() {
    let world = World::stale();
    tokio::spawn(world.link.run(Vec::new()));
    tokio::time::sleep(Duration::from_millis(1)).await;
    world.kms.log_in("token", user(1));
    world.link.sessions().check("token").await.unwrap();
    world.kms.log_out("token");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(matches!(world.link.sessions().check("token").await, Err(SessionError::Invalid)));
}

#[tokio::test(start_paused = true)]
async fn a_session_in_use_outlives_its_first_idle_time_and_an_unused_one_does_not() {
    let mut world = World::new().await;
    world.kms.log_in("used", user(1));
    world.kms.log_in("unused", user(1));
    world.link.sessions().check("unused").await.unwrap();
    for _ in 0..3 {
        world.link.sessions().check("used").await.unwrap();
        world.pass(IDLE / 2).await;
        world.follower.poll().await.unwrap();
    }
    assert!(world.link.sessions().check("used").await.is_ok());
    assert!(matches!(world.link.sessions().check("unused").await, Err(SessionError::Invalid)));
}

#[tokio::test(start_paused = true)]
async fn uses_are_reported_in_batches_and_not_for_every_request() {
    let world = World::new().await;
    world.kms.log_in("token", user(1));
    for _ in 0..1000 {
        world.link.sessions().check("token").await.unwrap();
    }
    world.link.touches().report_now().await.unwrap();
    assert_eq!(world.kms.touches.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_use_that_could_not_be_reported_is_reported_later() {
    let world = World::new().await;
    world.kms.log_in("token", user(1));
    world.link.sessions().check("token").await.unwrap();
    world.kms.is_gone.store(true, Ordering::SeqCst);
    assert!(world.link.touches().report_now().await.is_err());
    world.kms.is_gone.store(false, Ordering::SeqCst);
    world.link.touches().report_now().await.unwrap();
    assert_eq!(world.kms.touches.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_long_or_empty_for_a_token_is_not_even_asked_about() {
    let world = World::new().await;
    for token in ["", &"x".repeat(257)] {
        assert!(matches!(world.link.sessions().check(token).await, Err(SessionError::Invalid)));
    }
    assert_eq!(world.kms.session_checks.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_changed_user_is_forgotten_with_all_sessions() {
    let mut world = World::new().await;
    world.kms.log_in("token", user(1));
    world.link.sessions().check("token").await.unwrap();
    world.kms.tell(FeedEvent::UserChanged(user(1)));
    world.follower.poll().await.unwrap();
    world.link.sessions().check("token").await.unwrap();
    assert_eq!(world.kms.session_checks.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn dependents_forget_whoever_an_event_names_and_nobody_else() {
    let world = World::stale();
    let remembered = Remembered::of(1..=4);
    let mut follower = world.link.follower(vec![remembered.clone()]);
    follower.poll().await.unwrap();
    world.kms.tell(FeedEvent::UserChanged(user(1)));
    world.kms.tell(FeedEvent::AccessChanged(AccessSubject::User(user(2))));
    world.kms.tell(FeedEvent::AccessChanged(AccessSubject::Address(address_of(user(3)))));
    follower.poll().await.unwrap();
    assert_eq!(remembered.left(), HashSet::from([user(4)]));
    *world.kms.feed_begins.lock().unwrap() = 99;
    follower.poll().await.unwrap();
    assert!(remembered.left().is_empty(), "a feed that begins anew empties everything");
}

fn keys(kms: &Arc<FakeKms>, service: ServiceName, secret: &str) -> Keys {
    let secret = ServiceSecret::new(SecretString::from(secret)).unwrap();
    Keys::new(kms.clone(), service, Arc::new(secret))
}

#[tokio::test(start_paused = true)]
async fn the_keyring_arrives_when_the_kms_does() {
    let kms = Arc::new(FakeKms::of(ServiceName::Data));
    kms.is_gone.store(true, Ordering::SeqCst);
    let keys = keys(&kms, ServiceName::Data, SERVICE_SECRET);
    let waiting = tokio::spawn(async move { keys.wait_for().await });
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(!waiting.is_finished());
    kms.is_gone.store(false, Ordering::SeqCst);
    let keyring = waiting.await.unwrap();
    assert_eq!(keyring.active().id, kms.keyring.active().id);
}

#[tokio::test]
async fn a_keyring_opens_for_the_service_and_the_secret_it_was_handed_to_alone() {
    let kms = Arc::new(FakeKms::of(ServiceName::Data));
    assert!(keys(&kms, ServiceName::Data, SERVICE_SECRET).fetch().await.is_ok());
    assert!(keys(&kms, ServiceName::Gateway, SERVICE_SECRET).fetch().await.is_err());
    let other = "another secret, also of thirty-two bytes";
    assert!(keys(&kms, ServiceName::Data, other).fetch().await.is_err());
}
