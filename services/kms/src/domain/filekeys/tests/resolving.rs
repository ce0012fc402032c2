use std::time::Duration;

use super::super::{Caller, FileKeyError, Place, Wanted};
use super::world::{Permission, Process, World, email, name, order, read};
use coffer_core::FileId;

async fn leads_to(process: &Process, caller: &Caller, owner: Option<&str>) -> Result<FileId, FileKeyError> {
    let (name, owner) = (name("report.pdf"), owner.map(email));
    let wanted = Wanted { name: &name, owner: owner.as_ref() };
    Ok(process.keys.export(caller, wanted).await?.file)
}

#[tokio::test]
async fn one_s_own_uploaded_file_comes_before_a_grant_and_a_grant_before_one_s_own_unfinished() {
    let world = World::new();
    let (process, file) = (world.process(), name("report.pdf"));
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let of_ann = process.keys.create(&ann, &file).await.unwrap().file;
    let of_bob = process.keys.create(&bob, &file).await.unwrap().file;
    assert_eq!(leads_to(&process, &bob, None).await.unwrap(), of_bob, "his own, for want of another");
    process.keys.grant(&ann, &order(&file, "bob")).await.unwrap();
    assert_eq!(leads_to(&process, &bob, None).await.unwrap(), of_ann, "shared before unfinished");
    world.upload(&bob, &file);
    assert_eq!(leads_to(&process, &bob, None).await.unwrap(), of_bob, "uploaded before shared");
    assert_eq!(leads_to(&process, &bob, Some("ann")).await.unwrap(), of_ann, "the owner overrides");
    assert_eq!(leads_to(&process, &bob, Some("bob")).await.unwrap(), of_bob);
}

#[tokio::test]
async fn of_several_grants_the_oldest_live_one_counts() {
    let world = World::new();
    let (process, file, bob) = (world.process(), name("report.pdf"), world.user("bob").await);
    let mut files = Vec::new();
    for owner in ["first", "second", "third"] {
        let owner_caller = world.user(owner).await;
        files.push(process.keys.create(&owner_caller, &file).await.unwrap().file);
        process.keys.grant(&owner_caller, &order(&file, "bob")).await.unwrap();
        world.store.clock.advance(Duration::from_secs(1));
        if owner == "first" {
            process.keys.revoke(&owner_caller, &file, &email("bob")).await.unwrap();
            process.keys.grant(&owner_caller, &order(&file, "bob")).await.unwrap();
            world.store.clock.advance(Duration::from_secs(1));
            process.keys.revoke(&owner_caller, &file, &email("bob")).await.unwrap();
        }
    }
    assert_eq!(leads_to(&process, &bob, None).await.unwrap(), files[1]);
}

#[tokio::test]
async fn an_owner_whose_file_one_may_not_use_and_one_who_does_not_exist_look_the_same() {
    let world = World::new();
    let (process, bob) = (world.process(), world.user("bob").await);
    let ann = world.user("ann").await;
    process.keys.create(&ann, &name("report.pdf")).await.unwrap();
    for owner in ["ann", "nobody"] {
        let refused = leads_to(&process, &bob, Some(owner)).await;
        assert!(matches!(refused, Err(FileKeyError::AccessDenied)), "{owner}");
    }
    assert!(matches!(leads_to(&process, &bob, None).await, Err(FileKeyError::NotFound)));
    assert!(matches!(leads_to(&process, &bob, Some("bob")).await, Err(FileKeyError::NotFound)));
}

#[tokio::test]
async fn when_the_data_service_asks_it_is_not_asked_back() {
    let world = World::new();
    let (process, file) = (world.process(), name("report.pdf"));
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    process.keys.create(&ann, &file).await.unwrap();
    process.keys.create(&bob, &file).await.unwrap();
    process.keys.grant(&ann, &order(&file, "bob")).await.unwrap();
    world.uploads.away.store(true, std::sync::atomic::Ordering::SeqCst);
    let place = process.keys.place(bob.user, read(&file), Permission::Read).await.unwrap();
    assert_eq!(place, Place::Found { space: ann.user, expires_at: None });
}

#[tokio::test]
async fn a_user_who_may_not_act_finds_nothing() {
    let world = World::new();
    let (process, file) = (world.process(), name("report.pdf"));
    let ann = world.user("ann").await;
    process.keys.create(&ann, &file).await.unwrap();
    let users = crate::repo::user::UserRepo::new(world.store.sealed.clone());
    let before = users.load(ann.user).await.unwrap().unwrap();
    let mut inactive = before.value.clone();
    inactive.active = false;
    assert!(users.update(&before, &inactive).await.unwrap());
    let place = process.keys.place(ann.user, read(&file), Permission::Read).await.unwrap();
    assert_eq!(place, Place::NotFound);
}

#[tokio::test]
async fn whoever_names_himself_is_led_to_his_own_name_space_also_without_a_key() {
    let world = World::new();
    let (process, ann, file) = (world.process(), world.user("ann").await, name("report.pdf"));
    let place = async |owner: &str| {
        let owner = email(owner);
        let wanted = Wanted { name: &file, owner: Some(&owner) };
        process.keys.place(ann.user, wanted, Permission::Write).await.unwrap()
    };
    assert_eq!(place("ann").await, Place::Found { space: ann.user, expires_at: None });
    world.user("bob").await;
    assert_eq!(place("bob").await, Place::Denied);
}
