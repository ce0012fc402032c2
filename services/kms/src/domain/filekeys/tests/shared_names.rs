use std::time::Duration;

use super::super::FileKeyError;
use super::world::{World, email, name, order, read};

#[tokio::test]
async fn a_name_is_taken_for_all_and_its_key_is_its_owner_s() {
    let world = World::shared_names();
    let (process, file) = (world.process(), name("a"));
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let key = process.keys.create(&ann, &file).await.unwrap();
    assert_eq!(process.keys.create(&ann, &file).await.unwrap(), key);
    assert!(matches!(process.keys.create(&bob, &file).await, Err(FileKeyError::FileExists)));
    assert!(matches!(process.keys.export(&bob, read(&file)).await, Err(FileKeyError::NotFound)));
    assert!(matches!(process.keys.grant(&bob, &order(&file, "carl")).await, Err(FileKeyError::NotOwner)));

    process.keys.grant(&ann, &order(&file, "bob")).await.unwrap();
    assert_eq!(process.keys.export(&bob, read(&file)).await.unwrap().file, key.file);
    assert_eq!(process.keys.shared(bob.address, None, 10).await.unwrap().items.len(), 1);
    process.keys.revoke(&ann, &file, &email("bob")).await.unwrap();
    assert!(matches!(process.keys.export(&bob, read(&file)).await, Err(FileKeyError::AccessDenied)));
}

#[tokio::test]
async fn an_unfinished_name_may_be_taken_over_after_an_hour_and_an_uploaded_one_never() {
    let mut world = World::shared_names();
    world.rules.files_per_owner_max = 2;
    let process = world.process();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let (unfinished, uploaded) = (name("unfinished"), name("uploaded"));
    let of_ann = process.keys.create(&ann, &unfinished).await.unwrap();
    process.keys.create(&ann, &uploaded).await.unwrap();
    process.keys.grant(&ann, &order(&unfinished, "carl")).await.unwrap();
    world.upload(&ann, &uploaded);
    world.store.clock.advance(Duration::from_mins(59));
    assert!(matches!(process.keys.create(&bob, &unfinished).await, Err(FileKeyError::FileExists)));

    world.store.clock.advance(Duration::from_mins(1));
    let of_bob = process.keys.create(&bob, &unfinished).await.unwrap();
    assert_ne!(of_bob.file, of_ann.file);
    assert!(matches!(process.keys.create(&bob, &uploaded).await, Err(FileKeyError::FileExists)));
    assert!(matches!(process.keys.export(&ann, read(&unfinished)).await, Err(FileKeyError::NotFound)));
    let carl = world.user("carl").await;
    let refused = process.keys.export(&carl, read(&unfinished)).await;
    assert!(refused.is_err(), "a grant of the old file is none of the new one");
    assert_eq!(process.keys.shared(carl.address, None, 10).await.unwrap().items, []);
    // Ann's room was given back: she had two files and may have a second one again.
    process.keys.create(&ann, &name("another")).await.unwrap();
}

#[tokio::test]
async fn of_many_who_take_a_name_over_at_once_one_gets_it() {
    let world = World::shared_names();
    let (processes, file) = ([world.process(), world.process()], name("a"));
    let ann = world.user("ann").await;
    processes[0].keys.create(&ann, &file).await.unwrap();
    world.store.clock.advance(Duration::from_hours(2));
    let mut users = Vec::new();
    for n in 0..6 {
        users.push(world.user(&format!("u{n}")).await);
    }
    let calls = users.iter().enumerate().map(|(n, user)| processes[n % 2].keys.create(user, &file));
    let outcomes = futures_util::future::join_all(calls).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
}

#[tokio::test]
async fn one_s_own_list_leaves_others_files_out() {
    let world = World::shared_names();
    let process = world.process();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    process.keys.create(&ann, &name("a")).await.unwrap();
    process.keys.create(&bob, &name("b")).await.unwrap();
    let own = process.keys.own(&bob, None, 10).await.unwrap().items;
    assert_eq!(own.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["b"]);
}
