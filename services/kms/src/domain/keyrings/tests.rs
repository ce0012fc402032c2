use coffer_core::SeededRandom;
use coffer_crypto::keyring::{KeyId, handover_open};

use super::*;
use crate::domain::test_store::TestStore;
use crate::repo::tables::KEYRING;

const DAY: Duration = Duration::from_hours(24);

async fn open(world: &TestStore, secret: &RootSecret) -> Result<Keyrings, KeyringsError> {
    let settings = KeyringSettings { rotation_uses: 100, ..KeyringSettings::default() };
    let (store, clock, random) = (world.records.clone(), world.clock.clone(), world.random.clone());
    Keyrings::open(KeyringParts { store, clock, random }, secret, &settings).await
}

fn key(byte: u8) -> RootSecret {
    RootSecret::Key(format!("{byte:02x}").repeat(32).into())
}

fn seal(keyrings: &Keyrings, times: usize) -> Vec<u8> {
    let random = SeededRandom::new(1);
    (0..times).map(|_| keyrings.own().seal(&random, b"here", b"value")).last().unwrap()
}

#[tokio::test]
async fn two_processes_that_race_at_first_start_end_up_with_one_keyring() {
    for secret in [key(1), RootSecret::Password("correct horse".into())] {
        let world = TestStore::new();
        // Both find the store empty before either commits.
        let (one, other) = futures_util::join!(open(&world, &secret), open(&world, &secret));
        let sealed = seal(&one.unwrap(), 1);
        assert_eq!(other.unwrap().own().open(b"here", &sealed).unwrap().expose(), b"value");
    }
}

#[tokio::test]
async fn a_wrong_root_key_is_refused_and_nothing_is_changed() {
    let world = TestStore::new();
    open(&world, &key(1)).await.unwrap();
    let before = world.dump(KEYRING).await;
    for wrong in [key(2), RootSecret::Password("a password".into())] {
        assert!(open(&world, &wrong).await.is_err());
    }
    assert_eq!(world.dump(KEYRING).await, before);
    assert!(matches!(open(&world, &key(2)).await, Err(KeyringsError::WrongRootKey(_))));
    open(&world, &key(1)).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let world = TestStore::new();
    open(&world, &RootSecret::Password("correct horse".into())).await.unwrap();
    let wrong = open(&world, &RootSecret::Password("correct horsf".into())).await;
    assert!(matches!(wrong, Err(KeyringsError::WrongRootKey(_))));
    assert!(matches!(open(&world, &key(1)).await, Err(KeyringsError::Root(RootKeyMismatch::MadeOfPassword))));
}

#[tokio::test]
async fn a_new_version_is_spread_before_it_is_used_and_the_old_one_still_opens() {
    let world = TestStore::new();
    let (one, other) = (open(&world, &key(1)).await.unwrap(), open(&world, &key(1)).await.unwrap());
    let old = seal(&one, 1);
    assert_eq!(one.tick().await.unwrap(), []);

    world.clock.advance(90 * DAY);
    let made: Vec<_> = SERVICES.iter().map(|service| Change::Made(service, KeyId(2))).collect();
    assert_eq!(one.tick().await.unwrap(), made);
    assert_eq!(one.own().active().id, KeyId(1), "not used while it is spread");
    assert_eq!(other.tick().await.unwrap(), [], "one new version is enough");
    assert_eq!(other.own().versions().len(), 2);

    world.clock.advance(SPREAD);
    let activated: Vec<_> = SERVICES.iter().map(|service| Change::Activated(service, KeyId(2))).collect();
    assert_eq!(one.tick().await.unwrap(), activated);
    let new = seal(&one, 1);
    // The other process has not looked yet, but it was given the version in time.
    assert_eq!(other.own().open(b"here", &new).unwrap().expose(), b"value");
    assert_eq!(other.tick().await.unwrap(), []);
    assert_eq!(other.own().active().id, KeyId(2));
    let later = open(&world, &key(1)).await.unwrap();
    assert_eq!(later.own().open(b"here", &old).unwrap().expose(), b"value");
}

#[tokio::test]
async fn a_much_used_key_is_replaced_but_not_within_the_hour() {
    let world = TestStore::new();
    let processes = [open(&world, &key(1)).await.unwrap(), open(&world, &key(1)).await.unwrap()];
    for process in &processes {
        seal(process, 60);
        assert_eq!(process.tick().await.unwrap(), []);
    }
    world.clock.advance(Duration::from_mins(59));
    assert_eq!(processes[0].tick().await.unwrap(), []);
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(processes[0].tick().await.unwrap(), [Change::Made(KMS, KeyId(2))], "60 + 60 uses");
}

#[tokio::test]
async fn processes_that_rotate_at_once_make_one_version() {
    let world = TestStore::new();
    let (one, other) = (open(&world, &key(1)).await.unwrap(), open(&world, &key(1)).await.unwrap());
    world.clock.advance(90 * DAY);
    let (of_one, of_other) = futures_util::join!(one.tick(), other.tick());
    assert_eq!(of_one.unwrap().len() + of_other.unwrap().len(), SERVICES.len());
    one.tick().await.unwrap();
    other.tick().await.unwrap();
    assert_eq!((one.own().versions().len(), other.own().versions().len()), (2, 2));
}

#[tokio::test]
async fn a_keyring_is_handed_to_its_service_and_to_no_other() {
    let world = TestStore::new();
    let keyrings = open(&world, &key(1)).await.unwrap();
    let secret = [7; 32];
    let handed = keyrings.hand_over("data", &secret).unwrap();
    let data = handover_open(&secret, "data", &handed).unwrap();
    let sealed = data.seal(&SeededRandom::new(1), b"here", b"value");
    assert!(keyrings.own().open(b"here", &sealed).is_err(), "not the KMS's own");
    assert!(handover_open(&[8; 32], "data", &handed).is_err());
    let handed = keyrings.hand_over("gateway", &secret).unwrap();
    let gateway = handover_open(&secret, "gateway", &handed).unwrap();
    assert!(gateway.open(b"here", &sealed).is_err(), "nor the data service's");
    for service in [KMS, "nobody", ""] {
        assert!(matches!(keyrings.hand_over(service, &secret), Err(KeyringsError::UnknownService(_))));
    }
}

#[tokio::test]
async fn a_keyring_that_the_storage_has_changed_is_refused() {
    let world = TestStore::new();
    open(&world, &key(1)).await.unwrap();
    let repo = KeyringRepo::new(world.records.clone());
    let (mut record, version) = repo.keyring(KMS).await.unwrap().unwrap();
    *record.wrapped.last_mut().unwrap() ^= 1;
    assert!(repo.replace(KMS, Some(version), &record).await.unwrap());
    assert!(matches!(open(&world, &key(1)).await, Err(KeyringsError::Unwrap { .. })));
}
