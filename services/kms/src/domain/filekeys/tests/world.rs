//! Users, a store, and processes over it.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_api::Role;
use coffer_api::internal::heads::{HeadBytes, KeptHead, NewlyWrapped};
use coffer_core::EmailAddress;
use coffer_crypto::envelope::{Head, StanzaSection};
use coffer_crypto::filekey::{PublicKey as RsaPublicKey, RsaBits};
use coffer_crypto::root::RootKey;

use super::super::*;
use crate::domain::events::{EventFilter, EventParts, RecordedEvent};
use crate::domain::pool::{MakePair, PoolParts, PoolSettings};
use crate::domain::test_store::TestStore;
use crate::repo::address::{AddressChange, AddressRepo, Claim};
use crate::repo::pool::StoredPair;
use crate::repo::user::{Profile, UserRepo};

/// A data service that has the files that it was told of.
#[derive(Debug, Default)]
pub(super) struct Uploaded {
    files: Mutex<HashSet<(UserId, String)>>,
    pub(super) away: std::sync::atomic::AtomicBool,
    /// The heads that it keeps, by their tags.
    pub(super) heads: Mutex<std::collections::BTreeMap<String, KeptHead>>,
    /// What it was told to take in no more.
    pub(super) fences: Mutex<Vec<FenceRequest>>,
}

#[async_trait]
impl Uploads for Uploaded {
    async fn exists(&self, space: UserId, name: &FileName) -> Result<bool, UploadsError> {
        self.reachable()?;
        Ok(self.files.lock().unwrap().contains(&(space, name.as_str().to_owned())))
    }

    /// One head a page. It tells all that it has: what is old is for the KMS to judge.
    async fn old_heads(&self, request: &HeadsRequest) -> Result<HeadsPage, UploadsError> {
        self.reachable()?;
        let heads = self.heads.lock().unwrap();
        let after = |head: &&KeptHead| request.cursor.as_ref().is_none_or(|cursor| head.tag > *cursor);
        let next = heads.values().find(after);
        Ok(HeadsPage {
            items: next.cloned().into_iter().collect(),
            next_cursor: next.map(|head| head.tag.clone()),
        })
    }

    async fn replace_heads(&self, request: &ReplaceHeads) -> Result<HeadsReplaced, UploadsError> {
        self.reachable()?;
        let mut heads = self.heads.lock().unwrap();
        for item in &request.items {
            let Some(kept) = heads.get_mut(&item.tag) else { continue };
            kept.head = match (&item.wrapped, &kept.head) {
                (NewlyWrapped::Stanzas(stanzas), HeadBytes::Envelope { version, head }) => {
                    let head = Head::parse(&STANDARD.decode(head).unwrap()).unwrap();
                    let stanzas = StanzaSection::parse(&STANDARD.decode(stanzas).unwrap()).unwrap();
                    let head = STANDARD.encode(Head { stanzas, ..head }.to_bytes());
                    HeadBytes::Envelope { version: *version, head }
                }
                (NewlyWrapped::Classic { wrapped_key, wrapped_vector }, _) => HeadBytes::Classic {
                    wrapped_key: wrapped_key.clone(),
                    wrapped_vector: wrapped_vector.clone(),
                },
                other => panic!("{other:?}"),
            };
        }
        Ok(HeadsReplaced { replaced: request.items.len() })
    }

    async fn fence(&self, request: &FenceRequest) -> Result<(), UploadsError> {
        self.reachable()?;
        self.fences.lock().unwrap().push(*request);
        Ok(())
    }
}

impl Uploaded {
    fn reachable(&self) -> Result<(), UploadsError> {
        let away = self.away.load(std::sync::atomic::Ordering::SeqCst);
        if away { Err("the data service is away".into()) } else { Ok(()) }
    }

    pub(super) fn add(&self, space: UserId, name: &FileName) {
        self.files.lock().unwrap().insert((space, name.as_str().to_owned()));
    }
}

pub(super) struct World {
    pub(super) store: TestStore,
    pub(super) uploads: Arc<Uploaded>,
    pub(super) rules: FileKeyRules,
    make: MakePair,
}

/// One process.
pub(super) struct Process {
    pub(super) keys: FileKeys,
    pub(super) events: Arc<Events>,
    pub(super) feed: Arc<Feed>,
}

fn index() -> Arc<IndexKey> {
    Arc::new(RootKey::from_bytes(&[7; 32]).unwrap().derive_index_key())
}

pub(super) fn blind(email: &EmailAddress) -> AddressHash {
    AddressHash::from_bytes(index().blind("email", email.as_str().as_bytes()))
}

pub(super) fn name(text: &str) -> FileName {
    text.parse().unwrap()
}

pub(super) fn email(user: &str) -> EmailAddress {
    format!("{user}@example.com").parse().unwrap()
}

pub(super) fn read(name: &FileName) -> Wanted<'_> {
    Wanted { name, owner: None }
}

pub(super) fn order(name: &FileName, grantee: &str) -> GrantOrder {
    let (name, grantee) = (name.clone(), email(grantee));
    GrantOrder { name, grantee, permission: Permission::Read, expires_at: None }
}

pub(super) use coffer_api::grants::Permission;

/// Real pairs take long to make, so all tests share a few, and two files may have the same.
fn pair() -> StoredPair {
    static PAIRS: LazyLock<Vec<StoredPair>> =
        LazyLock::new(|| (0..6).map(|_| StoredPair::make(RsaBits::Rsa2048)).collect());
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let pair = &PAIRS[NEXT.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % PAIRS.len()];
    StoredPair { public_pem: pair.public_pem.clone(), private_pkcs8: pair.private_pkcs8.clone() }
}

impl World {
    pub(super) fn new() -> Self {
        let rules = FileKeyRules {
            shared_names: false,
            files_per_owner_max: 100,
            grants_per_file_max: 10,
            open_threads: 0,
        };
        Self { store: TestStore::new(), uploads: Arc::default(), rules, make: Arc::new(pair) }
    }

    /// A world where no two files have the same key pair.
    pub(super) fn own_pairs() -> Self {
        Self { make: Arc::new(|| StoredPair::make(RsaBits::Rsa2048)), ..Self::new() }
    }

    pub(super) fn shared_names() -> Self {
        let mut world = Self::new();
        world.rules.shared_names = true;
        world
    }

    pub(super) fn process(&self) -> Process {
        let (store, clock, random) = (&self.store.sealed, &self.store.clock, &self.store.random);
        let events = Arc::new(Events::start(EventParts {
            store: store.clone(),
            clock: clock.clone(),
            random: random.clone(),
            retention: Duration::from_hours(24),
        }));
        let feed = Arc::new(Feed::start(store.clone(), clock.clone()));
        let settings = PoolSettings {
            bits: RsaBits::Rsa2048,
            pairs_target: 4,
            threads: 1,
            wait_max: Duration::from_secs(20),
        };
        let pool = PoolParts { store: store.clone(), random: random.clone(), make: Arc::clone(&self.make) };
        let parts = FileKeyParts {
            store: store.clone(),
            clock: clock.clone(),
            random: random.clone(),
            index: index(),
            events: Arc::clone(&events),
            feed: Arc::clone(&feed),
            pool: Arc::new(KeyPool::start(pool, settings).unwrap()),
            uploads: self.uploads.clone(),
        };
        Process { keys: FileKeys::start(parts, self.rules).unwrap(), events, feed }
    }

    /// Somebody with a verified account and a session with a second factor.
    pub(super) async fn user(&self, user: &str) -> Caller {
        let (email, store) = (email(user), &self.store.sealed);
        let id = UserId::make(self.store.clock.now(), &*self.store.random);
        let profile = Profile {
            id,
            number: 1,
            email: email.clone(),
            verified: true,
            user_name: None,
            role: Role::Employee,
            active: true,
            password: None,
            password_unproved: false,
            session_epoch: 0,
            created_at: self.store.clock.now(),
        };
        UserRepo::new(store.clone()).create(&profile).await.unwrap();
        let claim = AddressChange::new().put_claim(&Claim {
            user_id: id,
            verified: true,
            claimed_at: profile.created_at,
        });
        assert!(AddressRepo::new(store.clone()).commit(&blind(&email), claim).await.unwrap());
        Caller { user: id, address: blind(&email), second_factor: true, origin: Origin::default() }
    }

    pub(super) fn upload(&self, caller: &Caller, name: &FileName) {
        let space = if self.rules.shared_names { Space::SHARED.0 } else { caller.user };
        self.uploads.add(space, name);
    }
}

impl Process {
    pub(super) async fn events(&self) -> Vec<RecordedEvent> {
        self.events.page(&EventFilter::default(), None, 100).await.unwrap().items
    }

    pub(super) async fn kinds(&self) -> Vec<String> {
        self.events().await.into_iter().map(|event| event.kind).collect()
    }
}

pub(super) fn wrap(public_pem: &str, plaintext: &[u8]) -> Vec<u8> {
    RsaPublicKey::from_pem(public_pem).unwrap().seal_oaep_sha256(plaintext).unwrap()
}
