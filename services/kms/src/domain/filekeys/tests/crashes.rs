//! What a crash between two commits leaves behind.

use super::super::FileKeyError;
use super::world::{World, blind, email, name, order, read};
use crate::repo::files::{GranteeRepo, IndexEntry, Space};

#[tokio::test]
async fn an_index_entry_without_a_grant_opens_nothing_and_is_not_listed() {
    let world = World::new();
    let (process, file) = (world.process(), name("a"));
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let key = process.keys.create(&ann, &file).await.unwrap();
    let entry = IndexEntry {
        name: file.clone(),
        granted_at: key.created_at,
        owner: ann.user,
        file: key.file,
        space: Space(ann.user),
    };
    let index = GranteeRepo::new(world.store.sealed.clone());
    index.put(blind(&email("bob")), &entry).await.unwrap();

    assert!(matches!(process.keys.export(&bob, read(&file)).await, Err(FileKeyError::NotFound)));
    assert_eq!(process.keys.shared(bob.address, None, 10).await.unwrap().items, []);
    let own = process.keys.create(&bob, &file).await.unwrap();
    assert_eq!(process.keys.export(&bob, read(&file)).await.unwrap().file, own.file);
    process.keys.grant(&ann, &order(&file, "bob")).await.unwrap();
    assert_eq!(process.keys.export(&bob, read(&file)).await.unwrap().file, key.file);
}

#[tokio::test]
async fn an_entry_of_an_earlier_grant_that_was_left_behind_shows_the_file_once() {
    let world = World::new();
    let (process, file) = (world.process(), name("a"));
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let key = process.keys.create(&ann, &file).await.unwrap();
    let first = process.keys.grant(&ann, &order(&file, "bob")).await.unwrap();
    process.keys.revoke(&ann, &file, &email("bob")).await.unwrap();
    world.store.clock.advance(std::time::Duration::from_secs(1));
    process.keys.grant(&ann, &order(&file, "bob")).await.unwrap();
    let left = IndexEntry {
        name: file.clone(),
        granted_at: first.granted_at,
        owner: ann.user,
        file: key.file,
        space: Space(ann.user),
    };
    GranteeRepo::new(world.store.sealed.clone()).put(bob.address, &left).await.unwrap();
    assert_eq!(process.keys.shared(bob.address, None, 10).await.unwrap().items.len(), 1);
    assert_eq!(process.keys.export(&bob, read(&file)).await.unwrap().file, key.file);
}

#[tokio::test]
async fn a_revocation_whose_answer_was_lost_can_be_repeated_and_reaches_the_feed() {
    let world = World::new();
    let (process, file) = (world.process(), name("a"));
    let ann = world.user("ann").await;
    process.keys.create(&ann, &file).await.unwrap();
    process.keys.grant(&ann, &order(&file, "bob")).await.unwrap();
    process.keys.revoke(&ann, &file, &email("bob")).await.unwrap();
    let position = process.feed.since(None).await.unwrap().position;
    process.keys.revoke(&ann, &file, &email("bob")).await.unwrap();
    assert_eq!(process.feed.since(Some(position)).await.unwrap().events.len(), 2, "before and after");
}
