use coffer_api::PrefixHash;
use coffer_api::file_keys::Covers;
use coffer_core::FileId;

use super::super::{Caller, FileKeyError, NewContent, OfOwner, Place, SealedContent, Uploaded, Wanted};
use super::world::{Permission, Process, World, email, name, order, read, wrap};
use crate::domain::recent::REMEMBERED;

impl Process {
    async fn folder(&self, owner: &Caller, folder: &str) -> FileId {
        self.keys.create_folder(owner, &name(folder)).await.unwrap().file
    }

    /// Whose key a name has.
    async fn key_of(&self, caller: &Caller, file: &str) -> Result<FileId, FileKeyError> {
        Ok(self.keys.show(caller, read(&name(file))).await?.file)
    }
}

#[tokio::test]
async fn a_file_has_its_own_key_or_that_of_the_nearest_folder() {
    let world = World::new();
    let (process, ann) = (world.process(), world.user("ann").await);
    let trip = process.folder(&ann, "photos/trip").await;
    let photos = process.folder(&ann, "photos").await;
    let own = process.keys.create(&ann, &name("photos/trip/own.jpg")).await.unwrap().file;
    for (file, key) in [
        ("photos/a.jpg", photos),
        ("photos/deep/er/a.jpg", photos),
        ("photos/trip/a.jpg", trip),
        ("photos/trip/more/a.jpg", trip),
        ("photos/trip/own.jpg", own),
        ("photos", photos),
        ("photos/trip", trip),
    ] {
        assert_eq!(process.key_of(&ann, file).await.unwrap(), key, "{file}");
    }
    for no_file_of_theirs in ["photos2", "photos2/a.jpg", "a.jpg"] {
        let found = process.key_of(&ann, no_file_of_theirs).await;
        assert!(matches!(found, Err(FileKeyError::NotFound)), "{no_file_of_theirs}");
    }
    assert_eq!(process.folder(&ann, "photos").await, photos, "the same again");
    let shown = process.keys.show(&ann, read(&name("photos/a.jpg"))).await.unwrap();
    assert_eq!((shown.name.as_str(), shown.covers), ("photos", Covers::Folder));
    let own = process.keys.own(&ann, None, 10).await.unwrap().items;
    let folders = own.iter().filter(|key| key.covers == Covers::Folder).count();
    assert_eq!((own.len(), folders), (3, 2));
}

#[tokio::test]
async fn a_name_is_a_file_or_a_folder() {
    let world = World::new();
    let (process, ann) = (world.process(), world.user("ann").await);
    process.folder(&ann, "photos").await;
    assert!(matches!(process.keys.create(&ann, &name("photos")).await, Err(FileKeyError::FileExists)));
    process.keys.create(&ann, &name("file")).await.unwrap();
    world.upload(&ann, &name("classic"));
    for taken in ["file", "classic"] {
        let refused = process.keys.create_folder(&ann, &name(taken)).await;
        assert!(matches!(refused, Err(FileKeyError::FileExists)), "{taken}");
    }
    let deep = ["x"; 33].join("/");
    let refused = process.keys.create_folder(&ann, &name(&deep)).await;
    assert!(matches!(refused, Err(FileKeyError::Field { field: "covers", .. })));
    let shared_names = World::shared_names();
    let eve = shared_names.user("eve").await;
    assert!(shared_names.process().keys.create_folder(&eve, &name("photos")).await.is_err());
}

#[tokio::test]
async fn a_grant_on_a_folder_is_for_what_is_under_it_now_and_later_until_it_is_revoked() {
    let world = World::new();
    let process = world.process();
    let (ann, bob, eve) = (world.user("ann").await, world.user("bob").await, world.user("eve").await);
    let photos = process.folder(&ann, "photos").await;
    process.keys.grant(&ann, &order(&name("photos"), "bob")).await.unwrap();
    let own = process.keys.create(&ann, &name("photos/own.jpg")).await.unwrap().file;
    let owner = email("ann");
    for asked in [None, Some(&owner)] {
        let (later, own_key) = (name("photos/later/a.jpg"), name("photos/own.jpg"));
        let wanted = Wanted { name: &later, owner: asked };
        assert_eq!(process.keys.show(&bob, wanted).await.unwrap().file, photos);
        let place = process.keys.place(bob.user, wanted, Permission::Read).await.unwrap();
        assert_eq!(place, Place::Found { space: ann.user, expires_at: None });
        assert_eq!(process.keys.place(bob.user, wanted, Permission::Write).await.unwrap(), Place::Denied);
        assert!(process.keys.show(&eve, wanted).await.is_err());
        let wanted = Wanted { name: &own_key, owner: asked };
        let found = process.keys.show(&bob, wanted).await;
        assert!(found.is_err(), "with its own key it is shared by itself only: {own}");
        let place = process.keys.place(bob.user, wanted, Permission::Read).await.unwrap();
        assert!(!matches!(place, Place::Found { .. }), "{place:?}");
    }
    let shared = process.keys.shared(bob.address, None, 10).await.unwrap().items;
    assert_eq!((shared[0].name.as_str(), shared[0].covers), ("photos", Covers::Folder));
    let covered = process.keys.grant(&ann, &order(&name("photos/later/a.jpg"), "eve")).await;
    assert!(
        matches!(covered, Err(FileKeyError::Field { field: "name", .. })),
        "the folder is shared, or nothing"
    );

    process.keys.revoke(&ann, &name("photos"), &email("bob")).await.unwrap();
    world.store.clock.advance(REMEMBERED);
    let later = name("photos/later/a.jpg");
    for asked in [None, Some(&owner)] {
        let wanted = Wanted { name: &later, owner: asked };
        assert!(matches!(process.keys.show(&bob, wanted).await, Err(FileKeyError::AccessDenied)));
        assert_eq!(process.keys.place(bob.user, wanted, Permission::Read).await.unwrap(), Place::Denied);
    }
}

#[tokio::test]
async fn one_folder_key_opens_all_that_was_sealed_for_it_and_each_file_has_versions_of_its_own() {
    let world = World::new();
    let process = world.process();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let public = process.keys.create_folder(&ann, &name("photos")).await.unwrap().public_pem;
    process.keys.grant(&ann, &order(&name("photos"), "bob")).await.unwrap();
    let file = |number: u8| name(&format!("photos/{number}.jpg"));
    let hash = |number: u8| PrefixHash::from_bytes([number; 32]);
    let new: Vec<_> =
        (0..100).map(|number| NewContent { name: file(number), prefix_hash: hash(number) }).collect();
    let registered = process.keys.register(&ann, OfOwner { owner: None, items: &new }).await.unwrap();
    assert!(registered.iter().all(|one| one.version == 1));
    let uploaded: Vec<_> = new.iter().map(|one| Uploaded { name: one.name.clone(), version: 1 }).collect();
    process.keys.publish(&ann, OfOwner { owner: None, items: &uploaded }).await.unwrap();

    let sealed = |number: u8| SealedContent {
        name: file(number),
        version: 1,
        present: true,
        prefix_hash: hash(number),
        key_version: 1,
        wrapped: wrap(&public, &[number; 32]),
    };
    let items: Vec<_> = (0..64).map(sealed).collect();
    let opened = process.keys.open_versions(&bob, OfOwner { owner: None, items: &items }).await.unwrap();
    let keys: Vec<_> = opened.iter().map(|one| one.content_key.expose().to_vec()).collect();
    assert_eq!(keys, (0..64).map(|number| vec![number; 32]).collect::<Vec<_>>());
    let swapped = [SealedContent { name: file(2), ..sealed(1) }];
    let refused = process.keys.open_versions(&bob, OfOwner { owner: None, items: &swapped }).await;
    let Err(FileKeyError::Of { place: 0, why }) = refused else { panic!("{refused:?}") };
    assert!(matches!(*why, FileKeyError::Unregistered), "another file of the same folder");
}
