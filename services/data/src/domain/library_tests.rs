//! Whose file a name means, tried with owners, grantees and everybody.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use coffer_api::file_keys::Covers;
use coffer_api::internal::{Access, SharedName};
use coffer_core::{EmailAddress, FileName};
use coffer_kms_link::testing::user;

use super::files::Envelope;
use super::library::{Caller, Library, LibraryError, SHARED_SPACE, Wanted};
use super::testing::{FakeBlobs, World, files};
use super::turns::Turns;
use crate::repo::Content;

struct Desk {
    world: World,
    library: Library,
}

async fn desk() -> Desk {
    let world = World::new().await;
    let library = Library::new(Arc::clone(&world.access), world.kms.clone(), turns());
    library.unlock(files(&world.clock, &Arc::new(FakeBlobs::default())));
    for (token, number) in [("ann", 1), ("bob", 2)] {
        world.kms.log_in(token, user(number));
    }
    Desk { world, library }
}

fn turns() -> (Turns, Turns) {
    let four = NonZeroUsize::new(4).unwrap();
    (Turns::new(four, four), Turns::new(four, four))
}

fn name(text: &str) -> FileName {
    text.parse().unwrap()
}

fn wanted(name: &FileName) -> Wanted<'_> {
    Wanted { name, owner: None }
}

fn found(owner: u64) -> Access {
    Access::Found { space: user(owner), expires_at: None }
}

impl Desk {
    async fn caller(&self, token: &str) -> Caller {
        Caller::User(self.world.link.sessions().check(token).await.unwrap())
    }

    async fn upload(&self, token: &str, text: &str, data: &str) -> Result<(), LibraryError> {
        let (wrapped_key, wrapped_vector) = (vec![1], vec![2]);
        let envelope = Envelope { data: data.into(), wrapped_key, wrapped_vector };
        self.library.upload(&self.caller(token).await, wanted(&name(text)), &envelope).await
    }

    async fn download(&self, token: &str, text: &str, owner: Option<&str>) -> Result<String, LibraryError> {
        let owner: Option<EmailAddress> = owner.map(|owner| owner.parse().unwrap());
        let name = name(text);
        let wanted = Wanted { name: &name, owner: owner.as_ref() };
        let file = self.library.find(&self.caller(token).await, wanted).await?;
        match file.record().unwrap().content {
            Content::Inline(data) => Ok(String::from_utf8(data.to_vec()).unwrap()),
            Content::Blob(_) => panic!("the files of these tests are small"),
        }
    }

    async fn list(&self, caller: &Caller) -> Vec<String> {
        let (mut names, mut listing) = (Vec::new(), self.library.list(caller).unwrap());
        while let Some(piece) = listing.next().await.unwrap() {
            piece.for_each_name(|name| names.push(name.to_owned()));
        }
        names
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_means_ones_own_file_before_a_granted_one() {
    let desk = desk().await;
    desk.upload("bob", "f", "of bob").await.unwrap();
    desk.world.kms.set_access("f", None, found(2));
    assert_eq!(desk.download("ann", "f", None).await.unwrap(), "of bob");
    desk.upload("ann", "f", "of ann").await.unwrap();
    let asked = desk.world.kms.access_checks.load(Ordering::SeqCst);
    assert_eq!(desk.download("ann", "f", None).await.unwrap(), "of ann");
    assert_eq!(desk.world.kms.access_checks.load(Ordering::SeqCst), asked, "one's own needs no question");
}

#[tokio::test(start_paused = true)]
async fn an_owner_who_is_named_is_the_one_who_is_meant() {
    let desk = desk().await;
    desk.upload("ann", "f", "of ann").await.unwrap();
    desk.upload("bob", "f", "of bob").await.unwrap();
    desk.world.kms.set_access("f", Some("bob@example.com"), found(2));
    assert_eq!(desk.download("ann", "f", Some("bob@example.com")).await.unwrap(), "of bob");
    desk.world.kms.set_access("g", Some("bob@example.com"), Access::Denied);
    let refused = desk.download("ann", "g", Some("bob@example.com")).await;
    assert!(matches!(refused, Err(LibraryError::Denied)));
}

#[tokio::test(start_paused = true)]
async fn what_was_never_there_is_not_found_and_what_was_taken_back_is_denied() {
    let desk = desk().await;
    assert!(matches!(desk.download("ann", "f", None).await, Err(LibraryError::NotFound)));
    desk.world.kms.set_access("f", None, Access::Denied);
    assert!(matches!(desk.download("ann", "f", None).await, Err(LibraryError::Denied)));
}

#[tokio::test(start_paused = true)]
async fn a_grant_whose_file_was_never_uploaded_finds_nothing() {
    let desk = desk().await;
    desk.world.kms.set_access("f", None, found(2));
    assert!(matches!(desk.download("ann", "f", None).await, Err(LibraryError::NotFound)));
}

#[tokio::test(start_paused = true)]
async fn nobody_uploads_into_anothers_space_not_even_with_a_grant_to_write() {
    let desk = desk().await;
    let (owner, name) = ("bob@example.com".parse().unwrap(), name("f"));
    let wanted = Wanted { name: &name, owner: Some(&owner) };
    let envelope = Envelope { data: vec![1], wrapped_key: vec![2], wrapped_vector: vec![3] };
    let caller = desk.caller("ann").await;
    for access in [found(2), Access::Denied, Access::NotFound] {
        desk.world.kms.set_access("f", Some("bob@example.com"), access);
        let refused = desk.library.upload(&caller, wanted, &envelope).await;
        assert!(matches!(refused, Err(LibraryError::Denied)), "{access:?}");
    }
    assert!(desk.list(&desk.caller("bob").await).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_owner_may_say_that_the_file_is_his_own() {
    let desk = desk().await;
    let (owner, name) = ("ann@example.com".parse().unwrap(), name("f"));
    desk.world.kms.set_access("f", Some("ann@example.com"), found(1));
    let wanted = Wanted { name: &name, owner: Some(&owner) };
    let envelope = Envelope { data: vec![1], wrapped_key: vec![2], wrapped_vector: vec![3] };
    let caller = desk.caller("ann").await;
    desk.library.upload(&caller, wanted, &envelope).await.unwrap();
    assert!(matches!(desk.library.upload(&caller, wanted, &envelope).await, Err(LibraryError::Exists)));
}

#[tokio::test(start_paused = true)]
async fn a_list_has_own_names_then_shared_ones_that_are_uploaded_each_once() {
    let desk = desk().await;
    for text in ["b", "a", "報告 2026.bin"] {
        desk.upload("ann", text, "x").await.unwrap();
    }
    for text in ["b", "shared"] {
        desk.upload("bob", text, "x").await.unwrap();
    }
    let shared = |text: &str| SharedName { space: user(2), file_name: name(text), covers: Covers::File };
    *desk.world.kms.shared.lock().unwrap() =
        vec![shared("b"), shared("shared"), shared("never uploaded"), shared("shared")];
    assert_eq!(desk.list(&desk.caller("ann").await).await, ["a", "b", "報告 2026.bin", "shared"]);
}

#[tokio::test(start_paused = true)]
async fn with_shared_names_everybody_has_one_name_space_and_the_kms_is_not_asked() {
    let desk = desk().await;
    desk.world.kms.is_gone.store(true, Ordering::SeqCst);
    let name = name("f");
    let envelope = Envelope { data: b"x".to_vec(), wrapped_key: vec![2], wrapped_vector: vec![3] };
    desk.library.upload(&Caller::Anybody, wanted(&name), &envelope).await.unwrap();
    assert!(desk.library.find(&Caller::Anybody, wanted(&name)).await.is_ok());
    assert_eq!(desk.list(&Caller::Anybody).await, ["f"]);
    let files = desk.library.files().unwrap();
    assert!(files.exists(SHARED_SPACE, &name).await.unwrap());
    let again = desk.library.upload(&Caller::Anybody, wanted(&name), &envelope).await;
    assert!(matches!(again, Err(LibraryError::Exists)));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_served_before_the_keyring_has_arrived() {
    let world = World::new().await;
    let library = Library::new(Arc::clone(&world.access), world.kms.clone(), turns());
    let found = library.find(&Caller::Anybody, wanted(&name("f"))).await;
    assert!(matches!(found, Err(LibraryError::Locked)));
    assert!(matches!(library.list(&Caller::Anybody), Err(LibraryError::Locked)));
}
