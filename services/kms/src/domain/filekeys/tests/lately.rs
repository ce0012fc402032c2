//! What unwrapping remembers. Tokio's time stands still once there are keys, so that only the tests' clock passes.

use std::time::Duration;

use coffer_core::SecretBytes;
use coffer_store::testing::CallKind;
use tokio::time::{pause, resume};

use super::super::{Caller, FileKeyError, GrantOrder};
use super::world::{Process, World, email, name, order, read, wrap};
use crate::domain::recent::REMEMBERED;
use crate::repo::tables::{EVENT, POOL};

/// Two processes; Ann has a file that Bob may use, and Bob has something that was sealed for it.
struct Shared {
    world: World,
    one: Process,
    other: Process,
    ann: Caller,
    bob: Caller,
    sealed: Vec<u8>,
}

impl Shared {
    async fn with(world: World, expires_in: Option<Duration>) -> Self {
        let (one, other, file) = (world.process(), world.process(), name("a"));
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let sealed = wrap(&one.keys.create(&ann, &file).await.unwrap().public_pem, b"of ann");
        let expires_at = expires_in.map(|time| world.store.now().plus(time));
        one.keys.grant(&ann, &GrantOrder { expires_at, ..order(&file, "bob") }).await.unwrap();
        pause();
        Self { world, one, other, ann, bob, sealed }
    }

    async fn new() -> Self {
        Self::with(World::new(), None).await
    }

    async fn unwrap(&self, process: &Process) -> Result<Vec<SecretBytes>, FileKeyError> {
        process.keys.unwrap(&self.bob, read(&name("a")), vec![self.sealed.clone()]).await
    }
}

#[tokio::test]
async fn asking_again_at_once_only_records() {
    let shared = Shared::new().await;
    shared.unwrap(&shared.one).await.unwrap();
    shared.world.store.records.take();
    for _ in 0..3 {
        assert_eq!(shared.unwrap(&shared.one).await.unwrap()[0].expose(), b"of ann");
        let mut calls = shared.world.store.records.take().0;
        // The pool is filled in the background, whoever asks for what.
        calls.retain(|call| call.table != POOL);
        assert_eq!(calls.len(), 1, "{calls:?}");
        assert!(calls[0].table == EVENT && matches!(calls[0].kind, CallKind::Commit { .. }), "{calls:?}");
    }
    shared.world.store.clock.advance(REMEMBERED);
    shared.unwrap(&shared.one).await.unwrap();
    let calls = shared.world.store.records.take().0;
    let asked = calls.iter().any(|call| call.table != POOL && call.table != EVENT);
    assert!(asked, "after a second the store is asked: {calls:?}");
}

#[tokio::test]
async fn a_revoked_grant_is_over_here_at_once_and_elsewhere_within_a_second() {
    let shared = Shared::new().await;
    for process in [&shared.one, &shared.other] {
        shared.unwrap(process).await.unwrap();
    }
    shared.one.keys.revoke(&shared.ann, &name("a"), &email("bob")).await.unwrap();
    let refused = shared.unwrap(&shared.one).await;
    assert!(matches!(refused, Err(FileKeyError::AccessDenied)), "at once where it was revoked");
    let exported = shared.other.keys.export(&shared.bob, read(&name("a"))).await;
    assert!(matches!(exported, Err(FileKeyError::AccessDenied)), "the key itself is given on no memory");
    assert!(shared.unwrap(&shared.other).await.is_ok(), "what was read is used for a second");
    shared.world.store.clock.advance(REMEMBERED);
    let refused = shared.unwrap(&shared.other).await;
    assert!(matches!(refused, Err(FileKeyError::AccessDenied)), "within a second elsewhere");
    let refusals = shared.one.kinds().await.iter().filter(|kind| *kind == "file_key_refused").count();
    assert_eq!(refusals, 3, "and every refusal is recorded");
}

#[tokio::test]
async fn a_grant_that_is_given_again_for_a_shorter_time_is_remembered_no_longer_than_that() {
    let shared = Shared::new().await;
    shared.unwrap(&shared.one).await.unwrap();
    let expires_at = Some(shared.world.store.now().plus(Duration::from_millis(300)));
    let shorter = GrantOrder { expires_at, ..order(&name("a"), "bob") };
    shared.one.keys.grant(&shared.ann, &shorter).await.unwrap();
    shared.unwrap(&shared.one).await.unwrap();
    shared.world.store.clock.advance(Duration::from_millis(300));
    assert!(matches!(shared.unwrap(&shared.one).await, Err(FileKeyError::AccessDenied)));
}

#[tokio::test]
async fn a_grant_ends_by_the_clock_whatever_is_remembered() {
    let shared = Shared::with(World::new(), Some(Duration::from_millis(500))).await;
    for process in [&shared.one, &shared.other] {
        shared.unwrap(process).await.unwrap();
    }
    shared.world.store.clock.advance(Duration::from_millis(499));
    shared.unwrap(&shared.other).await.unwrap();
    shared.world.store.clock.advance(Duration::from_millis(1));
    for process in [&shared.one, &shared.other] {
        assert!(matches!(shared.unwrap(process).await, Err(FileKeyError::AccessDenied)));
    }
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let shared = Shared::new().await;
    let carl = shared.world.user("carl").await;
    let unwrap = async || {
        let sealed = vec![shared.sealed.clone()];
        shared.other.keys.unwrap(&carl, read(&name("a")), sealed).await.map(|opened| opened.len())
    };
    assert!(matches!(unwrap().await, Err(FileKeyError::NotFound)));
    shared.one.keys.grant(&shared.ann, &order(&name("a"), "carl")).await.unwrap();
    assert_eq!(unwrap().await.unwrap(), 1);
}

#[tokio::test]
async fn a_name_that_leads_to_another_file_by_now_is_followed_at_once() {
    let shared = Shared::with(World::own_pairs(), None).await;
    let (file, process) = (name("a"), &shared.one);
    resume();
    let own = process.keys.create(&shared.bob, &file).await.unwrap().public_pem;
    pause();
    shared.unwrap(process).await.unwrap();
    // The data service tells nobody of an upload.
    shared.world.upload(&shared.bob, &file);
    let opened = process.keys.unwrap(&shared.bob, read(&file), vec![wrap(&own, b"of bob")]).await.unwrap();
    assert_eq!(opened[0].expose(), b"of bob");
    let refused = shared.unwrap(process).await;
    assert!(matches!(refused, Err(FileKeyError::NotForThisKey(0))), "{refused:?}");
}

#[tokio::test]
async fn a_name_that_was_taken_over_is_gone_for_its_first_owner_at_once() {
    let world = World::shared_names();
    let (process, file) = (world.process(), name("a"));
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let sealed = vec![wrap(&process.keys.create(&ann, &file).await.unwrap().public_pem, b"of ann")];
    world.store.clock.advance(Duration::from_hours(1));
    process.keys.unwrap(&ann, read(&file), sealed.clone()).await.unwrap();
    process.keys.create(&bob, &file).await.unwrap();
    assert!(matches!(process.keys.unwrap(&ann, read(&file), sealed).await, Err(FileKeyError::NotFound)));
}
