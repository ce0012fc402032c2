use futures_util::future::join_all;

use super::super::{FileKeyError, Wanted};
use super::world::{World, email, name, read};

#[tokio::test]
async fn an_unfinished_file_gives_the_same_key_again_and_an_uploaded_one_none() {
    let world = World::new();
    let (process, ann, file) = (world.process(), world.user("ann").await, name("報告 2026.bin"));
    let first = process.keys.create(&ann, &file).await.unwrap();
    assert_eq!((first.version, first.uploaded, first.owner.as_str()), (1, false, "ann@example.com"));
    assert_eq!(process.keys.create(&ann, &file).await.unwrap(), first);
    assert_eq!(process.keys.create_pem(&ann, read(&file)).await.unwrap(), first.public_pem);
    let (own, other) = (email("ann"), email("bob"));
    let wanted = Wanted { name: &file, owner: Some(&own) };
    assert_eq!(process.keys.create_pem(&ann, wanted).await.unwrap(), first.public_pem);
    let wanted = Wanted { name: &file, owner: Some(&other) };
    assert!(matches!(process.keys.create_pem(&ann, wanted).await, Err(FileKeyError::NotOwner)));

    world.upload(&ann, &file);
    assert!(matches!(process.keys.create(&ann, &file).await, Err(FileKeyError::FileExists)));
    assert!(process.keys.show(&ann, read(&file)).await.unwrap().uploaded, "it is remembered");
}

#[tokio::test]
async fn that_a_file_was_uploaded_is_remembered_when_the_data_service_is_away() {
    let world = World::new();
    let (process, ann, file) = (world.process(), world.user("ann").await, name("a"));
    process.keys.create(&ann, &file).await.unwrap();
    world.uploads.away.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(matches!(process.keys.create(&ann, &file).await, Err(FileKeyError::Uploads(_))));

    world.uploads.away.store(false, std::sync::atomic::Ordering::SeqCst);
    world.upload(&ann, &file);
    assert!(matches!(process.keys.create(&ann, &file).await, Err(FileKeyError::FileExists)));
    world.uploads.away.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(matches!(process.keys.create(&ann, &file).await, Err(FileKeyError::FileExists)));
}

#[tokio::test]
async fn a_name_that_was_uploaded_without_a_key_is_taken_from_the_first_request_on() {
    let world = World::new();
    let (process, ann, file) = (world.process(), world.user("ann").await, name("a"));
    world.upload(&ann, &file);
    for _ in 0..2 {
        assert!(matches!(process.keys.create(&ann, &file).await, Err(FileKeyError::FileExists)));
        assert!(matches!(process.keys.create_pem(&ann, read(&file)).await, Err(FileKeyError::FileExists)));
    }
    assert!(process.kinds().await.is_empty(), "no key was made");
}

#[tokio::test]
async fn requests_that_race_for_a_name_on_two_processes_get_one_key() {
    let world = World::new();
    let (ann, file) = (world.user("ann").await, name("a"));
    let processes = [world.process(), world.process()];
    let made = join_all((0..12).map(|n| processes[n % 2].keys.create(&ann, &file))).await;
    let first = made[0].as_ref().unwrap();
    assert!(made.iter().all(|key| key.as_ref().unwrap() == first));
    let events = processes[0].kinds().await;
    assert_eq!(events, ["file_key_created"], "one file was made");
}

#[tokio::test]
async fn two_users_may_both_have_a_file_of_one_name() {
    let world = World::new();
    let (process, file) = (world.process(), name("report.pdf"));
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let of_ann = process.keys.create(&ann, &file).await.unwrap();
    let of_bob = process.keys.create(&bob, &file).await.unwrap();
    assert_ne!(of_ann.file, of_bob.file);
    assert_eq!(process.keys.show(&ann, read(&file)).await.unwrap().file, of_ann.file);
}

#[tokio::test]
async fn an_owner_has_no_more_files_than_allowed_and_refusals_use_up_no_room() {
    let mut world = World::new();
    world.rules.files_per_owner_max = 3;
    let (process, ann, bob) = (world.process(), world.user("ann").await, world.user("bob").await);
    for file in ["a", "b", "c"] {
        process.keys.create(&ann, &name(file)).await.unwrap();
        process.keys.create(&ann, &name(file)).await.unwrap();
    }
    let refused = process.keys.create(&ann, &name("d")).await;
    assert!(matches!(refused, Err(FileKeyError::Limit { max: 3, .. })));
    process.keys.create(&bob, &name("d")).await.unwrap();
}

#[tokio::test]
async fn one_s_own_files_are_listed_by_name_in_pages() {
    let world = World::new();
    let (process, ann, bob) = (world.process(), world.user("ann").await, world.user("bob").await);
    for file in ["c", "a", "b/x"] {
        process.keys.create(&ann, &name(file)).await.unwrap();
    }
    process.keys.create(&bob, &name("z")).await.unwrap();
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let page = process.keys.own(&ann, cursor.as_deref(), 2).await.unwrap();
        names.extend(page.items.iter().map(|file| file.name.as_str().to_owned()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["a", "b/x", "c"]);
    for cursor in ["?", "AAAA", ""] {
        let refused = process.keys.own(&ann, Some(cursor), 2).await;
        assert!(matches!(refused, Err(FileKeyError::Field { field: "cursor", .. })), "{cursor:?}");
    }
}
