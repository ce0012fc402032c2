use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_api::PrefixHash;
use coffer_api::internal::heads::{HeadBytes, KeptHead};
use coffer_crypto::envelope::{ContentKey, Head, Options, Recipient, Sealer};
use coffer_crypto::filekey::{FileKeyPair, PublicKey as RsaPublicKey, RsaBits};
use coffer_store::records::Sort;

use super::super::{
    Caller, Destruction, FileKeyError, KeyVersions, NewContent, OfOwner, PublicKey, SealedContent,
};
use super::world::{Process, World, email, name, order, read, wrap};
use crate::repo::files::{FileRepo, Space};
use crate::repo::rotations::{Rotation, RotationRepo};

const DAY: Duration = Duration::from_hours(24);

/// A content key and a head for it.
struct Sealed {
    content: ContentKey,
    head: Head,
}

fn seal(world: &World, key: &PublicKey) -> Sealed {
    let sealer = Sealer::new(&*world.store.random, Options::default()).unwrap();
    let public = RsaPublicKey::from_pem(&key.public_pem).unwrap();
    let head = sealer.head(&[Recipient { file_key: key.file, version: key.version, key: &public }]).unwrap();
    let own = FileKeyPair::generate(RsaBits::Rsa2048);
    let for_own = sealer.head(&[Recipient { file_key: key.file, version: 1, key: own.public() }]).unwrap();
    let content = for_own.stanzas.stanzas()[0].unwrap(own.private()).unwrap();
    Sealed { content, head }
}

fn kept(file: &str, version: u64, head: &Head) -> KeptHead {
    let head = HeadBytes::Envelope { version, head: STANDARD.encode(head.to_bytes()) };
    KeptHead { file_name: name(file), tag: format!("{file}-{version}"), head }
}

impl World {
    fn keep(&self, head: KeptHead) {
        self.uploads.heads.lock().unwrap().insert(head.tag.clone(), head);
    }

    fn head(&self, tag: &str) -> Head {
        match &self.uploads.heads.lock().unwrap()[tag].head {
            HeadBytes::Envelope { head, .. } => Head::parse(&STANDARD.decode(head).unwrap()).unwrap(),
            HeadBytes::Classic { .. } => panic!("it is an envelope"),
        }
    }

    /// A file that was stored as registered.
    async fn stored(&self, process: &Process, ann: &Caller, file: &str) -> Sealed {
        let key = process.keys.create(ann, &name(file)).await.unwrap();
        let sealed = seal(self, &key);
        let prefix_hash = PrefixHash::from_bytes(sealed.head.prefix.hash());
        let items = [NewContent { name: name(file), prefix_hash }];
        let version =
            process.keys.register(ann, OfOwner { owner: None, items: &items }).await.unwrap()[0].version;
        self.upload(ann, &name(file));
        self.keep(kept(file, version, &sealed.head));
        sealed
    }
}

impl Process {
    async fn rotated(&self, ann: &Caller, file: &str) -> Result<KeyVersions, FileKeyError> {
        self.keys.rotate(ann, &name(file), None).await
    }

    async fn versions(&self, ann: &Caller, file: &str) -> (u32, u32, bool) {
        let versions = self.keys.key_versions(ann, &name(file)).await.unwrap();
        (versions.oldest, versions.newest, versions.moving)
    }

    /// The content key of this head, as a reader gets it.
    async fn content_key(&self, reader: &Caller, file: &str, head: &Head) -> Result<Vec<u8>, FileKeyError> {
        let stanza = &head.stanzas.stanzas()[0];
        let sealed = SealedContent {
            name: name(file),
            version: 1,
            present: true,
            prefix_hash: PrefixHash::from_bytes(head.prefix.hash()),
            key_version: stanza.version,
            wrapped: stanza.wrapped.clone(),
        };
        let owner = email("ann");
        let wanted = OfOwner { owner: Some(&owner), items: &[sealed] };
        let opened = self.keys.open_versions(reader, wanted).await?;
        Ok(opened[0].content_key.expose().to_vec())
    }
}

#[tokio::test]
async fn what_is_kept_is_wrapped_for_the_new_version_and_opens_on_every_process_all_the_time() {
    let world = World::own_pairs();
    let (one, other, ann) = (world.process(), world.process(), world.user("ann").await);
    let Sealed { content, head } = world.stored(&one, &ann, "a").await;
    // The other process remembers the key as it is.
    other.content_key(&ann, "a", &head).await.unwrap();
    assert_eq!(one.rotated(&ann, "a").await.unwrap().newest, 2);
    assert_eq!(one.versions(&ann, "a").await, (1, 2, true));
    assert_eq!(one.keys.export(&ann, read(&name("a"))).await.unwrap().version, 1, "all is wrapped for it");
    assert_eq!(one.keys.show(&ann, read(&name("a"))).await.unwrap().version, 2, "new content is for it");
    assert_eq!((one.keys.move_all().await.unwrap(), one.keys.move_all().await.unwrap()), (1, 0));
    let moved = world.head("a-1");
    assert_eq!((moved.stanzas.stanzas().len(), moved.stanzas.stanzas()[0].version), (1, 2));
    moved.stanzas.verify(&content, &moved.prefix).expect("it is sealed under the content key");
    for process in [&other, &one] {
        for head in [&moved, &head] {
            assert_eq!(process.content_key(&ann, "a", head).await.unwrap(), content.expose());
        }
    }
    assert_eq!(one.versions(&ann, "a").await, (1, 2, false));
    assert_eq!(one.keys.export(&ann, read(&name("a"))).await.unwrap().version, 2);
    assert_eq!(one.kinds().await.iter().filter(|kind| *kind == "file_key_rotated").count(), 1);
    assert!(matches!(one.keys.rotate(&ann, &name("a"), Some(1)).await, Err(FileKeyError::Conflict)));

    let destroyed = one.keys.destroy(&ann, &name("a"), Destruction::default()).await.unwrap();
    assert_eq!((destroyed.oldest, destroyed.newest), (2, 2));
    assert!(
        FileRepo::new(world.store.sealed.clone())
            .kept_key(Space(ann.user), one.keys.show(&ann, read(&name("a"))).await.unwrap().file, 1)
            .await
            .unwrap()
            .is_none()
    );
    world.store.clock.advance(crate::domain::recent::REMEMBERED);
    for process in [&one, &other] {
        let gone = process.content_key(&ann, "a", &head).await.unwrap_err();
        assert!(
            matches!(gone, FileKeyError::Of { ref why, .. } if matches!(**why, FileKeyError::KeyDestroyed)),
            "{gone:?}"
        );
        process.content_key(&ann, "a", &moved).await.unwrap();
    }
}

#[tokio::test]
async fn nothing_is_wrapped_anew_that_was_not_registered_for_the_file() {
    let world = World::own_pairs();
    let (process, ann) = (world.process(), world.user("ann").await);
    let own = world.stored(&process, &ann, "a").await;
    let other = world.stored(&process, &ann, "b").await;
    let key = process.keys.show(&ann, read(&name("a"))).await.unwrap();
    let strange = seal(&world, &key);
    // Another file's content, one that nobody registered, and one whose stanza holds another envelope's content key.
    world.keep(KeptHead { tag: "1".into(), ..kept("a", 1, &other.head) });
    world.keep(KeptHead { tag: "2".into(), ..kept("a", 2, &strange.head) });
    let forged = Head { prefix: own.head.prefix.clone(), stanzas: strange.head.stanzas.clone() };
    world.keep(KeptHead { tag: "3".into(), ..kept("a", 1, &forged) });
    process.rotated(&ann, "a").await.unwrap();
    process.keys.move_all().await.unwrap();
    assert_eq!(world.head("a-1").stanzas.stanzas()[0].version, 2);
    for (tag, head) in [("1", &other.head), ("2", &strange.head), ("3", &forged), ("b-1", &other.head)] {
        assert_eq!(world.head(tag), *head, "{tag}");
    }
    let refused = process.keys.destroy(&ann, &name("a"), Destruction::default()).await;
    assert!(matches!(refused, Err(FileKeyError::KeyInUse)), "one is broken: {refused:?}");
    assert_eq!(world.uploads.fences.lock().unwrap().last().unwrap().oldest, 1, "uploads are let in again");
    world.uploads.heads.lock().unwrap().remove("3");
    process.keys.destroy(&ann, &name("a"), Destruction::default()).await.unwrap();
    assert_eq!(world.uploads.fences.lock().unwrap().last().unwrap().oldest, 2);
}

#[tokio::test]
async fn what_is_interrupted_goes_on_later() {
    let world = World::own_pairs();
    let (process, ann) = (world.process(), world.user("ann").await);
    world.stored(&process, &ann, "a").await;
    process.rotated(&ann, "a").await.unwrap();
    world.uploads.away.store(true, Ordering::SeqCst);
    assert_eq!(process.keys.move_all().await.unwrap(), 0);
    assert_eq!(process.versions(&ann, "a").await, (1, 2, true));
    world.uploads.away.store(false, Ordering::SeqCst);
    assert_eq!(process.keys.move_all().await.unwrap(), 0, "not at once");
    // A process that is killed is not waited for longer than this either.
    world.store.clock.advance(Duration::from_secs(61));
    assert_eq!(world.process().keys.move_all().await.unwrap(), 1);
    assert_eq!(process.versions(&ann, "a").await, (1, 2, false));
}

#[tokio::test]
async fn a_rotation_that_was_noted_and_never_made_leaves_nothing() {
    let world = World::own_pairs();
    let (process, ann) = (world.process(), world.user("ann").await);
    world.stored(&process, &ann, "a").await;
    let file = process.keys.show(&ann, read(&name("a"))).await.unwrap().file;
    let noted =
        Rotation::new((Space(ann.user), name("a")), file, process.keys.now().plus(Duration::from_mins(1)));
    let rotations = RotationRepo::new(world.store.sealed.clone());
    rotations.put(&noted).await.unwrap();
    process.keys.move_all().await.unwrap();
    assert_eq!(rotations.page(None::<&Sort>, 10).await.unwrap().len(), 1, "it may be made yet");
    world.store.clock.advance(Duration::from_secs(61));
    process.keys.move_all().await.unwrap();
    assert!(rotations.page(None::<&Sort>, 10).await.unwrap().is_empty());
    assert_eq!(process.versions(&ann, "a").await, (1, 1, false));
}

#[tokio::test]
async fn keys_are_rotated_by_age_and_no_more_versions_are_kept_than_an_envelope_has_stanzas() {
    let world = World::own_pairs();
    let (process, ann) = (world.process(), world.user("ann").await);
    world.stored(&process, &ann, "a").await;
    process.keys.create(&ann, &name("never uploaded")).await.unwrap();
    process.keys.create_folder(&ann, &name("d")).await.unwrap();
    let old = async || process.keys.rotate_old(90 * DAY, Duration::ZERO).await.unwrap();
    assert_eq!(old().await, 0);
    process
        .keys
        .publish(
            &ann,
            OfOwner { owner: None, items: &[super::super::Uploaded { name: name("a"), version: 1 }] },
        )
        .await
        .unwrap();
    world.store.clock.advance(91 * DAY);
    assert_eq!((old().await, old().await), (2, 0), "the file and the folder, once");
    assert_eq!(process.versions(&ann, "d").await, (1, 2, true));
    let by_hand = process.rotated(&ann, "never uploaded").await;
    assert!(matches!(by_hand, Err(FileKeyError::Field { field: "name", .. })), "{by_hand:?}");
    for _ in 2..16 {
        process.rotated(&ann, "d").await.unwrap();
    }
    assert!(matches!(process.rotated(&ann, "d").await, Err(FileKeyError::Limit { max: 16, .. })));
    process.keys.move_all().await.unwrap();
    world.store.clock.advance(91 * DAY);
    assert_eq!(old().await, 1, "it goes on with the others");
    process.keys.destroy(&ann, &name("d"), Destruction { up_to: Some(10), force: false }).await.unwrap();
    assert_eq!(process.versions(&ann, "d").await.0, 11);
    assert!(process.rotated(&ann, "d").await.is_ok());
}

#[tokio::test]
async fn what_was_fetched_before_a_rotation_is_unwrapped_after_it() {
    let world = World::own_pairs();
    let (process, ann) = (world.process(), world.user("ann").await);
    let public = process.keys.create(&ann, &name("c")).await.unwrap().public_pem;
    world.upload(&ann, &name("c"));
    let [key, vector] = [wrap(&public, &[1; 32]), wrap(&public, &[2; 16])];
    let head =
        HeadBytes::Classic { wrapped_key: STANDARD.encode(&key), wrapped_vector: STANDARD.encode(&vector) };
    world.keep(KeptHead { file_name: name("c"), tag: "c".into(), head });
    process.rotated(&ann, "c").await.unwrap();
    process.keys.move_all().await.unwrap();
    let opened = process.keys.unwrap(&ann, read(&name("c")), vec![key, vector]).await.unwrap();
    assert_eq!((opened[0].expose(), opened[1].expose()), (&[1; 32][..], &[2; 16][..]));
    process.keys.destroy(&ann, &name("c"), Destruction::default()).await.unwrap();
    let HeadBytes::Classic { wrapped_key, .. } = world.uploads.heads.lock().unwrap()["c"].head.clone() else {
        panic!()
    };
    let anew = STANDARD.decode(wrapped_key).unwrap();
    let opened = process.keys.unwrap(&ann, read(&name("c")), vec![anew]).await.unwrap();
    assert_eq!(opened[0].expose(), [1; 32]);
}

#[tokio::test]
async fn uses_of_others_are_summed_up_and_stay_after_access_is_taken_away() {
    let world = World::own_pairs();
    let (one, other) = (world.process(), world.process());
    let (ann, bob, eve) = (world.user("ann").await, world.user("bob").await, world.user("eve").await);
    let sealed = world.stored(&one, &ann, "a").await;
    for process in [&one, &other] {
        process.keys.grant(&ann, &order(&name("a"), "bob")).await.unwrap();
        for reader in [&ann, &bob] {
            process.content_key(reader, "a", &sealed.head).await.unwrap();
        }
        world.store.clock.advance(Duration::from_secs(5));
    }
    other.keys.write_uses().await;
    one.keys.export(&bob, read(&name("a"))).await.unwrap();
    one.keys.revoke(&ann, &name("a"), &email("bob")).await.unwrap();
    let page = one.keys.uses(&ann, &name("a"), (None, 10)).await.unwrap();
    let [of_bob] = &page.items[..] else { panic!("{page:?}") };
    assert_eq!((of_bob.user, of_bob.uses.unwraps, of_bob.uses.exports), (bob.user, 2, 1));
    assert_eq!((of_bob.uses.exported_version, of_bob.uses.content_version), (Some(1), Some(1)));
    assert_eq!(of_bob.uses.last_at.since(of_bob.uses.first_at), Duration::from_secs(10));
    assert!(matches!(one.keys.uses(&eve, &name("a"), (None, 10)).await, Err(FileKeyError::NotOwner)));
    assert!(matches!(one.keys.uses(&bob, &name("a"), (None, 10)).await, Err(FileKeyError::NotOwner)));
}
