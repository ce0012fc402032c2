use std::time::Duration;

use coffer_api::internal::{AccessSubject, FeedEvent};

use super::super::{FileKeyError, GrantOrder, Place};
use super::world::{Permission, Process, World, email, name, order, read};
use crate::domain::filekeys::Caller;
use crate::repo::tables::{FILES, GRANTEE};

async fn may_read(process: &Process, caller: &Caller, file: &str) -> bool {
    process.keys.export(caller, read(&name(file))).await.is_ok()
}

#[tokio::test]
async fn a_grant_opens_a_revocation_closes_at_once_and_a_new_grant_opens_again() {
    let world = World::new();
    let (one, other) = (world.process(), world.process());
    let (ann, bob, file) = (world.user("ann").await, world.user("bob").await, name("a"));
    one.keys.create(&ann, &file).await.unwrap();
    assert!(!may_read(&other, &bob, "a").await);
    for _ in 0..3 {
        one.keys.grant(&ann, &order(&file, "bob")).await.unwrap();
        assert!(may_read(&other, &bob, "a").await);
        one.keys.revoke(&ann, &file, &email("bob")).await.unwrap();
        assert!(!may_read(&other, &bob, "a").await, "revoked on another process");
        world.store.clock.advance(Duration::from_secs(1));
    }
    let entries = world.store.dump(GRANTEE).await;
    assert_eq!(entries.lines().count(), 1, "one entry however often it was granted");
}

#[tokio::test]
async fn only_the_owner_grants_and_revokes() {
    let world = World::new();
    let (process, file) = (world.process(), name("a"));
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    process.keys.create(&ann, &file).await.unwrap();
    process
        .keys
        .grant(&ann, &GrantOrder { permission: Permission::Write, ..order(&file, "bob") })
        .await
        .unwrap();
    let refused = process.keys.grant(&bob, &order(&file, "carl")).await;
    assert!(matches!(refused, Err(FileKeyError::NotOwner)), "not even with a grant to write");
    assert!(matches!(process.keys.revoke(&bob, &file, &email("bob")).await, Err(FileKeyError::NotOwner)));
    let unknown = process.keys.grant(&ann, &order(&name("no such file"), "bob")).await;
    assert!(matches!(unknown, Err(FileKeyError::NotOwner)));
    let to_herself = process.keys.grant(&ann, &order(&file, "ann")).await;
    assert!(matches!(to_herself, Err(FileKeyError::NotOwner)));
}

#[tokio::test]
async fn a_grant_to_an_unknown_address_answers_the_same_and_works_once_it_is_verified() {
    let world = World::new();
    let (process, ann, file) = (world.process(), world.user("ann").await, name("a"));
    world.user("known").await;
    process.keys.create(&ann, &file).await.unwrap();
    let known = process.keys.grant(&ann, &order(&file, "known")).await.unwrap();
    let unknown = process.keys.grant(&ann, &order(&file, "new")).await.unwrap();
    assert_eq!((known.permission, known.granted_at), (unknown.permission, unknown.granted_at));
    let late = world.user("new").await;
    assert!(may_read(&process, &late, "a").await);
}

#[tokio::test]
async fn a_grant_ends_by_itself_and_its_grantee_is_denied_rather_than_told_that_there_is_nothing() {
    let world = World::new();
    let (process, file) = (world.process(), name("a"));
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    process.keys.create(&ann, &file).await.unwrap();
    let end = world.store.now().plus(Duration::from_mins(1));
    process.keys.grant(&ann, &GrantOrder { expires_at: Some(end), ..order(&file, "bob") }).await.unwrap();
    let place = process.keys.place(bob.user, read(&file), Permission::Read).await.unwrap();
    assert_eq!(place, Place::Found { space: ann.user, expires_at: Some(end) });

    world.store.clock.advance(Duration::from_mins(1));
    assert!(!may_read(&process, &bob, "a").await);
    let place = process.keys.place(bob.user, read(&file), Permission::Read).await.unwrap();
    assert_eq!(place, Place::Denied);
    let never = process.keys.place(bob.user, read(&name("b")), Permission::Read).await.unwrap();
    assert_eq!(never, Place::NotFound);
    assert_eq!(process.keys.grants(&ann, &file, (None, 10)).await.unwrap().items, []);
    assert_eq!(process.keys.shared(bob.address, None, 10).await.unwrap().items, []);

    let past = GrantOrder { expires_at: Some(end), ..order(&file, "bob") };
    assert!(matches!(process.keys.grant(&ann, &past).await, Err(FileKeyError::Field { .. })));
}

#[tokio::test]
async fn a_grant_to_read_does_not_allow_writing() {
    let world = World::new();
    let (process, file) = (world.process(), name("a"));
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    process.keys.create(&ann, &file).await.unwrap();
    process.keys.grant(&ann, &order(&file, "bob")).await.unwrap();
    let write = process.keys.place(bob.user, read(&file), Permission::Write).await.unwrap();
    assert_eq!(write, Place::Denied);
    process
        .keys
        .grant(&ann, &GrantOrder { permission: Permission::Write, ..order(&file, "bob") })
        .await
        .unwrap();
    let write = process.keys.place(bob.user, read(&file), Permission::Write).await.unwrap();
    assert!(matches!(write, Place::Found { .. }));
}

#[tokio::test]
async fn the_owner_sees_his_live_grants_and_the_grantee_what_is_shared() {
    let world = World::new();
    let (process, bob) = (world.process(), world.user("bob").await);
    let (ann, carl) = (world.user("ann").await, world.user("carl").await);
    for (owner, file) in [(&ann, "x"), (&ann, "a"), (&carl, "m")] {
        process.keys.create(owner, &name(file)).await.unwrap();
        process.keys.grant(owner, &order(&name(file), "bob")).await.unwrap();
    }
    process.keys.grant(&ann, &order(&name("x"), "stranger")).await.unwrap();
    process.keys.grant(&ann, &order(&name("x"), "gone")).await.unwrap();
    process.keys.revoke(&ann, &name("x"), &email("gone")).await.unwrap();
    let granted = process.keys.grants(&ann, &name("x"), (None, 10)).await.unwrap().items;
    let mut emails: Vec<_> = granted.iter().map(|grant| grant.grantee.as_str()).collect();
    emails.sort_unstable();
    assert_eq!(emails, ["bob@example.com", "stranger@example.com"]);

    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let page = process.keys.shared_with(bob.user, cursor.as_deref(), 2).await.unwrap();
        names.extend(page.items.iter().map(|file| (file.name.as_str().to_owned(), file.space)));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let expected = [("a", ann.user), ("m", carl.user), ("x", ann.user)];
    assert_eq!(names, expected.map(|(name, space)| (name.to_owned(), space)));
    let owners = process.keys.emails(&[ann.user, carl.user]).await.unwrap();
    assert_eq!(owners[&carl.user], "carl@example.com");
}

#[tokio::test]
async fn a_file_has_no_more_grants_than_allowed_and_expired_ones_make_room() {
    let mut world = World::new();
    world.rules.grants_per_file_max = 2;
    let (process, ann, file) = (world.process(), world.user("ann").await, name("a"));
    process.keys.create(&ann, &file).await.unwrap();
    let end = world.store.now().plus(Duration::from_mins(1));
    process.keys.grant(&ann, &GrantOrder { expires_at: Some(end), ..order(&file, "u1") }).await.unwrap();
    process.keys.grant(&ann, &order(&file, "u2")).await.unwrap();
    process.keys.grant(&ann, &order(&file, "u2")).await.unwrap();
    let full = process.keys.grant(&ann, &order(&file, "u3")).await;
    assert!(matches!(full, Err(FileKeyError::Limit { max: 2, .. })));

    world.store.clock.advance(Duration::from_mins(1));
    process.keys.grant(&ann, &order(&file, "u3")).await.unwrap();
    let full = process.keys.grant(&ann, &order(&file, "u4")).await;
    assert!(matches!(full, Err(FileKeyError::Limit { .. })));
    process.keys.revoke(&ann, &file, &email("u2")).await.unwrap();
    process.keys.revoke(&ann, &file, &email("u2")).await.unwrap();
    process.keys.grant(&ann, &order(&file, "u4")).await.unwrap();
    let full = process.keys.grant(&ann, &order(&file, "u5")).await;
    assert!(matches!(full, Err(FileKeyError::Limit { .. })), "revoking twice made room once");
}

#[tokio::test]
async fn grants_and_revocations_are_in_the_feed_and_among_the_events_before_they_are_answered() {
    let world = World::new();
    let (process, ann, file) = (world.process(), world.user("ann").await, name("a"));
    let bob = world.user("bob").await;
    process.keys.create(&ann, &file).await.unwrap();
    let changed = FeedEvent::AccessChanged(AccessSubject::Address(bob.address));
    process.keys.grant(&ann, &order(&file, "bob")).await.unwrap();
    assert_eq!(process.feed.since(Some(0)).await.unwrap().events, [changed]);
    process.keys.revoke(&ann, &file, &email("bob")).await.unwrap();
    assert_eq!(process.feed.since(Some(1)).await.unwrap().events, [changed; 2], "before and after");
    assert_eq!(process.kinds().await, ["grant_revoked", "grant_made", "file_key_created"]);
    process.keys.revoke(&ann, &file, &email("never")).await.unwrap();
    assert_eq!(process.feed.since(Some(3)).await.unwrap().events, [], "nothing was taken from anybody");
}

#[tokio::test]
async fn a_grantee_s_address_is_nowhere_in_the_store_in_plain() {
    let world = World::new();
    let (process, ann, file) = (world.process(), world.user("ann").await, name("a"));
    process.keys.create(&ann, &file).await.unwrap();
    process.keys.grant(&ann, &order(&file, "planted")).await.unwrap();
    for table in [FILES, GRANTEE] {
        let dump = world.store.dump(table).await;
        assert!(!dump.is_empty() && !dump.contains("planted") && !dump.contains("example.com"));
    }
}
