use coffer_api::PrefixHash;
use futures_util::future::join_all;

use super::super::{
    Caller, FileKeyError, NewContent, OfOwner, OpenedContent, Registered, SealedContent, Uploaded,
};
use super::world::{Permission, Process, World, email, name, order, wrap};
use crate::domain::recent::REMEMBERED;

const KEY: [u8; 32] = [7; 32];

fn hash(number: u8) -> PrefixHash {
    PrefixHash::from_bytes([number; 32])
}

fn own<T>(items: &[T]) -> OfOwner<'_, T> {
    OfOwner { owner: None, items }
}

fn new(file: &str, number: u8) -> NewContent {
    NewContent { name: name(file), prefix_hash: hash(number) }
}

fn uploaded(file: &str, version: u64) -> Uploaded {
    Uploaded { name: name(file), version }
}

/// The whole reason of a refusal of one item.
fn why<T: std::fmt::Debug>(refused: Result<T, FileKeyError>, at: usize) -> FileKeyError {
    match refused {
        Err(FileKeyError::Of { place, why }) if place == at => *why,
        other => panic!("refused for item {at}, but {other:?}"),
    }
}

impl Process {
    async fn registered(&self, caller: &Caller, file: &str, number: u8) -> u64 {
        self.keys.register(caller, own(&[new(file, number)])).await.unwrap()[0].version
    }

    async fn published(&self, caller: &Caller, file: &str, number: u8) -> u64 {
        let version = self.registered(caller, file, number).await;
        self.keys.publish(caller, own(&[uploaded(file, version)])).await.unwrap();
        version
    }

    async fn opened(
        &self,
        caller: &Caller,
        sealed: &SealedContent,
    ) -> Result<Vec<OpenedContent>, FileKeyError> {
        let owner = email("ann");
        let wanted = OfOwner { owner: Some(&owner), items: std::slice::from_ref(sealed) };
        self.keys.open_versions(caller, wanted).await
    }
}

/// A file `a` of Ann's, and its present content as its readers hold it.
async fn file(process: &Process, ann: &Caller) -> SealedContent {
    let public = process.keys.create(ann, &name("a")).await.unwrap().public_pem;
    let version = process.published(ann, "a", 1).await;
    SealedContent {
        name: name("a"),
        version,
        present: true,
        prefix_hash: hash(1),
        key_version: 1,
        wrapped: wrap(&public, &KEY),
    }
}

#[tokio::test]
async fn what_was_registered_opens_for_who_may_read_and_is_recorded() {
    let world = World::new();
    let process = world.process();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let sealed = file(&process, &ann).await;
    process.keys.grant(&ann, &order(&name("a"), "bob")).await.unwrap();
    for reader in [&ann, &bob] {
        let opened = process.opened(reader, &sealed).await.unwrap();
        assert_eq!((opened[0].content_key.expose(), opened[0].published), (&KEY[..], Some(1)));
    }
    let kinds = process.kinds().await;
    assert_eq!(kinds[..2], ["file_version_opened", "file_version_opened"]);
    assert_eq!(kinds.iter().filter(|kind| *kind == "file_version_registered").count(), 1);
    let strange = Caller { second_factor: false, ..ann.clone() };
    assert!(matches!(process.opened(&strange, &sealed).await, Err(FileKeyError::SecondFactor)));
}

#[tokio::test]
async fn content_that_was_swapped_forged_or_rolled_back_is_refused() {
    let world = World::new();
    let (process, ann) = (world.process(), world.user("ann").await);
    let first = file(&process, &ann).await;
    process.keys.create(&ann, &name("b")).await.unwrap();
    process.published(&ann, "b", 9).await;
    process.published(&ann, "b", 2).await;

    let of = |version, number| SealedContent { version, prefix_hash: hash(number), ..first.clone() };
    for forged in [of(1, 2), of(1, 9), of(2, 2), of(0, 1), of(u64::MAX, 1)] {
        let refused = why(process.opened(&ann, &forged).await, 0);
        assert!(matches!(refused, FileKeyError::Unregistered), "{forged:?}");
    }
    let second = process.published(&ann, "a", 3).await;
    assert!(matches!(why(process.opened(&ann, &first).await, 0), FileKeyError::Outdated), "rolled back");
    process.opened(&ann, &of(second, 3)).await.unwrap();
    process
        .opened(&ann, &SealedContent { present: false, ..first })
        .await
        .expect("a version that was asked for");
}

#[tokio::test]
async fn a_version_that_nobody_published_yet_opens_and_readers_are_told() {
    let world = World::new();
    let (process, ann) = (world.process(), world.user("ann").await);
    let first = file(&process, &ann).await;
    let version = process.registered(&ann, "a", 2).await;
    let second = SealedContent { version, prefix_hash: hash(2), ..first.clone() };
    assert_eq!(process.opened(&ann, &second).await.unwrap()[0].published, Some(1));
    process.opened(&ann, &first).await.expect("it may never be uploaded");
    process.keys.publish(&ann, own(&[uploaded("a", version)])).await.unwrap();
    process.keys.publish(&ann, own(&[uploaded("a", 1)])).await.expect("which is nothing new");
    assert_eq!(process.opened(&ann, &second).await.unwrap()[0].published, Some(version));
    let unknown = process.keys.publish(&ann, own(&[uploaded("a", version + 1)])).await;
    assert!(matches!(why(unknown, 0), FileKeyError::Unregistered));
}

#[tokio::test]
async fn only_writers_register_and_publish() {
    let world = World::new();
    let process = world.process();
    let (ann, bob, eve) = (world.user("ann").await, world.user("bob").await, world.user("eve").await);
    let sealed = file(&process, &ann).await;
    let owner = email("ann");
    let of_ann = |items| OfOwner { owner: Some(&owner), items };
    let (content, version) = ([new("a", 2)], [uploaded("a", 1)]);
    process.keys.grant(&ann, &order(&name("a"), "bob")).await.unwrap();
    for reader in [&bob, &eve] {
        let refused = process.keys.register(reader, of_ann(&content)).await;
        assert!(matches!(why(refused, 0), FileKeyError::AccessDenied));
        let refused = process.keys.publish(reader, OfOwner { owner: Some(&owner), items: &version }).await;
        assert!(matches!(why(refused, 0), FileKeyError::AccessDenied));
        let refused = process.keys.register(reader, own(&content)).await;
        assert!(matches!(why(refused, 0), FileKeyError::NotFound), "his own space has none");
    }
    let none = [new("there is none", 2)];
    let unknown = process.keys.register(&eve, of_ann(&none)).await;
    assert!(matches!(why(unknown, 0), FileKeyError::AccessDenied), "as one that is there");

    let write = super::super::GrantOrder { permission: Permission::Write, ..order(&name("a"), "bob") };
    process.keys.grant(&ann, &write).await.unwrap();
    assert_eq!(process.keys.register(&bob, of_ann(&content)).await.unwrap()[0].version, 2);
    process.keys.revoke(&ann, &name("a"), &email("bob")).await.unwrap();
    world.store.clock.advance(REMEMBERED);
    assert!(process.keys.register(&bob, of_ann(&content)).await.is_err());
    assert!(matches!(why(process.opened(&bob, &sealed).await, 0), FileKeyError::AccessDenied));
}

#[tokio::test]
async fn many_files_are_registered_and_opened_together_or_not_at_all() {
    let world = World::new();
    let (process, ann) = (world.process(), world.user("ann").await);
    let sealed = file(&process, &ann).await;
    let public = process.keys.create(&ann, &name("b")).await.unwrap().public_pem;
    let missing = process.keys.register(&ann, own(&[new("a", 5), new("none", 5)])).await;
    assert!(matches!(why(missing, 1), FileKeyError::NotFound));
    let twice = process.keys.register(&ann, own(&[new("b", 5), new("a", 5), new("b", 6)])).await;
    assert!(matches!(why(twice, 2), FileKeyError::Field { field: "name", .. }));
    let both = process.keys.register(&ann, own(&[new("a", 2), new("b", 3)])).await.unwrap();
    assert_eq!(
        both.iter().map(|one| one.version).collect::<Vec<_>>(),
        [2, 1],
        "nothing was registered before"
    );

    let other = SealedContent {
        name: name("b"),
        version: 1,
        prefix_hash: hash(3),
        wrapped: wrap(&public, &[8; 32]),
        ..sealed.clone()
    };
    let opened = process.keys.open_versions(&ann, own(&[sealed.clone(), other.clone()])).await.unwrap();
    assert_eq!(opened[1].content_key.expose(), [8; 32]);
    let events = process.events().await.len();
    for (at, wrong) in [
        (0, [SealedContent { wrapped: other.wrapped.clone(), ..sealed.clone() }, other.clone()]),
        (1, [sealed.clone(), SealedContent { wrapped: wrap(&public, b"no content key"), ..other.clone() }]),
        (1, [sealed.clone(), SealedContent { key_version: 2, ..other.clone() }]),
    ] {
        let refused = why(process.keys.open_versions(&ann, own(&wrong)).await, at);
        assert!(matches!(refused, FileKeyError::NotForThisKey(_)), "{refused:?}");
    }
    assert_eq!(process.events().await.len(), events, "nothing left");
}

#[tokio::test]
async fn writers_at_the_same_time_get_numbers_of_their_own() {
    let world = World::new();
    let (one, other, ann) = (world.process(), world.process(), world.user("ann").await);
    file(&one, &ann).await;
    let writes = (0..8).map(|number| {
        let (process, ann) = (if number % 2 == 0 { &one } else { &other }, &ann);
        async move { process.keys.register(ann, own(&[new("a", number)])).await }
    });
    let outcomes = join_all(writes).await;
    let mut numbers: Vec<_> =
        outcomes.into_iter().flatten().map(|done: Vec<Registered>| done[0].version).collect();
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert!(all > 0 && numbers.len() == all, "{numbers:?}");
    assert_eq!(one.registered(&ann, "a", 99).await, numbers[all - 1] + 1, "none is left out");
}

#[tokio::test]
async fn old_registrations_go_and_the_published_one_stays() {
    let world = World::new();
    let (process, ann) = (world.process(), world.user("ann").await);
    let first = file(&process, &ann).await;
    for _ in 0..130 {
        process.registered(&ann, "a", 2).await;
    }
    process.opened(&ann, &first).await.expect("it is the published one");
    let of = |version| SealedContent { version, present: false, prefix_hash: hash(2), ..first.clone() };
    assert!(matches!(why(process.opened(&ann, &of(3)).await, 0), FileKeyError::Unregistered));
    process.opened(&ann, &of(4)).await.unwrap();
    process.keys.publish(&ann, own(&[uploaded("a", 131)])).await.unwrap();
    let gone = SealedContent { present: false, ..first };
    assert!(matches!(why(process.opened(&ann, &gone).await, 0), FileKeyError::Unregistered));
}

#[tokio::test]
async fn readers_learn_which_versions_are_the_present_ones_and_others_nothing() {
    let world = World::new();
    let process = world.process();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    for file in ["a", "b", "registered"] {
        process.keys.create(&ann, &name(file)).await.unwrap();
    }
    process.published(&ann, "a", 1).await;
    process.published(&ann, "a", 2).await;
    process.published(&ann, "b", 3).await;
    process.registered(&ann, "registered", 4).await;
    let asked = ["b", "none", "a", "registered"].map(name);
    let present = process.keys.present_versions(&ann, OfOwner { owner: None, items: &asked }).await.unwrap();
    assert_eq!(present, [Some(1), None, Some(2), None]);

    process.keys.grant(&ann, &order(&name("a"), "bob")).await.unwrap();
    let owner = email("ann");
    let shared = [name("a")];
    let of_ann = OfOwner { owner: Some(&owner), items: &shared };
    assert_eq!(process.keys.present_versions(&bob, of_ann).await.unwrap(), [Some(2)]);
    for other in ["b", "none"] {
        let asked = [name("a"), name(other)];
        let of_ann = OfOwner { owner: Some(&owner), items: &asked };
        let refused = process.keys.present_versions(&bob, of_ann).await;
        let Err(FileKeyError::Of { place: 1, why }) = refused else { panic!("{refused:?}") };
        assert!(matches!(*why, FileKeyError::AccessDenied), "{other}");
    }
    let twice = [name("a"), name("a")];
    assert!(process.keys.present_versions(&ann, OfOwner { owner: None, items: &twice }).await.is_err());
}
