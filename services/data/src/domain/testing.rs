//! A KMS for tests: says what it is told to say, counts what it is asked, and can be slow or gone.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use coffer_api::internal::{
    Access, AccessRequest, BATCH_ITEMS_MAX, FeedAnswer, FeedEvent, LiveSession, SessionTouch, SharedName,
    SharedRequest, WrappedKeyring,
};
use coffer_api::{AddressHash, Amr, Page, Role, SessionHash};
use coffer_core::{BlobId, ManualClock, SeededRandom, Timestamp, UserId};
use coffer_crypto::hash::sha256;
use coffer_crypto::keyring::{Keyring, handover_seal};
use coffer_store::blobs::Blobs;
use coffer_store::records::{MemoryRecords, Sealed, StoreError};
use tokio::sync::Semaphore;

use super::access::AccessCache;
use super::files::Files;
use super::follower::Follower;
use super::freshness::Freshness;
use super::kms::{Kms, KmsError};
use super::sessions::Sessions;
use super::touches::Touches;
use crate::base64;

/// The moment at which every test begins.
pub(crate) const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);
/// The secret that the KMS and this service share.
pub(crate) const SERVICE_SECRET: &str = "a secret of at least thirty-two bytes";
/// How long a session of a test lasts unused.
pub(crate) const IDLE: Duration = Duration::from_hours(1);

pub(crate) fn user(number: u64) -> UserId {
    UserId::make(START, &SeededRandom::new(number))
}

pub(crate) fn hash_of(token: &str) -> SessionHash {
    SessionHash::from_bytes(sha256(token.as_bytes()))
}

fn live_session(token: &str, user_id: UserId) -> LiveSession {
    LiveSession {
        user_id,
        address_hash: AddressHash::from_bytes(sha256(user_id.as_bytes())),
        role: Role::Employee,
        amr: vec![Amr::Pwd, Amr::Otp],
        session: hash_of(token),
        idle_expires_at: START.plus(IDLE),
        absolute_expires_at: START.plus(IDLE * 24),
    }
}

#[derive(Debug)]
pub(crate) struct FakeKms {
    pub(crate) is_gone: AtomicBool,
    pub(crate) keyring: Keyring,
    pub(crate) sessions: Mutex<HashMap<String, LiveSession>>,
    pub(crate) session_checks: AtomicUsize,
    pub(crate) touches: Mutex<Vec<SessionTouch>>,
    /// By name and owner's address, if one was given.
    pub(crate) access: Mutex<HashMap<(String, Option<String>), Access>>,
    pub(crate) access_checks: AtomicUsize,
    pub(crate) shared: Mutex<Vec<SharedName>>,
    pub(crate) events: Mutex<Vec<FeedEvent>>,
    /// The oldest position that the feed still knows.
    pub(crate) feed_begins: Mutex<u64>,
    /// An answer to a session check is worked out, then waits for a permit before it is given.
    pub(crate) answers: Semaphore,
}

impl Default for FakeKms {
    fn default() -> Self {
        Self {
            is_gone: AtomicBool::new(false),
            keyring: Keyring::create(START, &SeededRandom::new(4)),
            sessions: Mutex::default(),
            session_checks: AtomicUsize::new(0),
            touches: Mutex::default(),
            access: Mutex::default(),
            access_checks: AtomicUsize::new(0),
            shared: Mutex::default(),
            events: Mutex::default(),
            feed_begins: Mutex::default(),
            answers: Semaphore::new(Semaphore::MAX_PERMITS),
        }
    }
}

impl FakeKms {
    fn reachable(&self, doing: &'static str) -> Result<(), KmsError> {
        if self.is_gone.load(Ordering::SeqCst) {
            return Err(KmsError { doing, source: "gone".into() });
        }
        Ok(())
    }

    pub(crate) fn log_in(&self, token: &str, user_id: UserId) {
        self.sessions.lock().unwrap().insert(token.to_owned(), live_session(token, user_id));
    }

    pub(crate) fn log_out(&self, token: &str) {
        self.sessions.lock().unwrap().remove(token);
        self.events.lock().unwrap().push(FeedEvent::SessionEnded(hash_of(token)));
    }

    pub(crate) fn set_access(&self, name: &str, owner: Option<&str>, access: Access) {
        self.access.lock().unwrap().insert((name.to_owned(), owner.map(str::to_owned)), access);
    }

    pub(crate) fn tell(&self, event: FeedEvent) {
        self.events.lock().unwrap().push(event);
    }
}

#[async_trait]
impl Kms for FakeKms {
    async fn keyring(&self) -> Result<WrappedKeyring, KmsError> {
        self.reachable("fetching the keyring")?;
        let random = SeededRandom::new(3);
        let handed = handover_seal(&self.keyring, SERVICE_SECRET.as_bytes(), "data", &random).unwrap();
        let mut wrapped = Vec::new();
        base64::encode(&handed, &mut wrapped);
        Ok(WrappedKeyring { wrapped: String::from_utf8(wrapped).unwrap() })
    }

    async fn check_session(&self, token: &str) -> Result<Option<LiveSession>, KmsError> {
        self.reachable("checking a session")?;
        self.session_checks.fetch_add(1, Ordering::SeqCst);
        let answer = self.sessions.lock().unwrap().get(token).cloned();
        self.answers.acquire().await.unwrap().forget();
        Ok(answer)
    }

    async fn touch(&self, touches: &[SessionTouch]) -> Result<(), KmsError> {
        self.reachable("reporting touches")?;
        self.touches.lock().unwrap().extend_from_slice(touches);
        let mut sessions = self.sessions.lock().unwrap();
        for touch in touches {
            for live in sessions.values_mut().filter(|live| live.session == touch.session) {
                live.idle_expires_at = live.idle_expires_at.max(touch.last_used_at.plus(IDLE));
            }
        }
        Ok(())
    }

    async fn resolve(&self, request: &AccessRequest) -> Result<Access, KmsError> {
        self.reachable("resolving access")?;
        self.access_checks.fetch_add(1, Ordering::SeqCst);
        let owner = request.owner_email.as_ref().map(|owner| owner.as_str().to_owned());
        let key = (request.file_name.to_string(), owner);
        Ok(self.access.lock().unwrap().get(&key).copied().unwrap_or(Access::NotFound))
    }

    async fn shared(&self, request: &SharedRequest) -> Result<Page<SharedName>, KmsError> {
        self.reachable("listing shared files")?;
        // One item a page, so that every listing of two takes pages.
        let at: usize = request.cursor.as_ref().map_or(0, |cursor| cursor.parse().unwrap());
        let shared = self.shared.lock().unwrap();
        let items: Vec<_> = shared.get(at).cloned().into_iter().collect();
        Ok(Page { items, next_cursor: (at + 1 < shared.len()).then(|| (at + 1).to_string()) })
    }

    async fn feed(&self, after: Option<u64>) -> Result<FeedAnswer, KmsError> {
        self.reachable("following the feed")?;
        let events = self.events.lock().unwrap();
        let end = u64::try_from(events.len()).unwrap();
        let Some(after) = after else {
            return Ok(FeedAnswer { position: end, ..FeedAnswer::default() });
        };
        if after < *self.feed_begins.lock().unwrap() {
            return Ok(FeedAnswer { position: end, reset: true, ..FeedAnswer::default() });
        }
        let rest = &events[usize::try_from(after).unwrap()..];
        let events = rest[..rest.len().min(BATCH_ITEMS_MAX)].to_vec();
        Ok(FeedAnswer { position: after + u64::try_from(events.len()).unwrap(), events, reset: false })
    }
}

/// What the domain needs around it, with a clock and a KMS that the test moves.
pub(crate) struct World {
    pub(crate) kms: Arc<FakeKms>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) freshness: Arc<Freshness>,
    pub(crate) touches: Arc<Touches>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) access: Arc<AccessCache>,
    pub(crate) follower: Follower,
}

impl World {
    /// A world that has not yet polled the feed.
    pub(crate) fn stale() -> Self {
        let kms = Arc::new(FakeKms::default());
        let clock = Arc::new(ManualClock::at(START));
        let freshness = Arc::new(Freshness::default());
        let touches = Arc::new(Touches::new(kms.clone()));
        let sessions =
            Arc::new(Sessions::new(kms.clone(), clock.clone(), freshness.clone(), touches.clone()));
        let access = Arc::new(AccessCache::new(kms.clone(), clock.clone(), freshness.clone()));
        let follower = Follower::new(kms.clone(), freshness.clone(), sessions.clone(), access.clone());
        Self { kms, clock, freshness, touches, sessions, access, follower }
    }

    /// A world that follows the feed.
    pub(crate) async fn new() -> Self {
        let mut world = Self::stale();
        world.follower.poll().await.unwrap();
        world
    }

    /// Lets time pass, by the wall clock and by the monotonic one.
    pub(crate) async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        tokio::time::advance(time).await;
    }
}

/// Blobs in memory that can be told to fail.
#[derive(Debug, Default)]
pub(crate) struct FakeBlobs {
    pub(crate) parts: Mutex<HashMap<(BlobId, u32), Bytes>>,
    /// Parts from this one on cannot be written.
    pub(crate) fails_from_part: Mutex<Option<u32>>,
}

#[async_trait]
impl Blobs for FakeBlobs {
    async fn put_part(&self, blob: BlobId, part: u32, bytes: Bytes) -> Result<(), StoreError> {
        if self.fails_from_part.lock().unwrap().is_some_and(|from| part >= from) {
            return Err(StoreError::Unavailable { doing: "writing a part", source: "gone".into() });
        }
        self.parts.lock().unwrap().insert((blob, part), bytes);
        Ok(())
    }

    async fn get_part(&self, blob: BlobId, part: u32) -> Result<Option<Bytes>, StoreError> {
        Ok(self.parts.lock().unwrap().get(&(blob, part)).cloned())
    }

    async fn list(
        &self,
        _before: Timestamp,
        _after: Option<BlobId>,
        _limit: usize,
    ) -> Result<Vec<BlobId>, StoreError> {
        panic!("this service knows its staged blobs by itself")
    }

    async fn delete(&self, blob: BlobId) -> Result<(), StoreError> {
        self.parts.lock().unwrap().retain(|(id, _), _| *id != blob);
        Ok(())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Files over storage in memory.
pub(crate) fn files(clock: &Arc<ManualClock>, blobs: &Arc<FakeBlobs>) -> Files {
    let random = Arc::new(SeededRandom::new(5));
    let keyring = Arc::new(Keyring::create(START, &*random));
    let records = Sealed::new(Arc::new(MemoryRecords::new(clock.clone())), keyring, random.clone());
    Files::new(&records, blobs.clone(), clock.clone(), random)
}
