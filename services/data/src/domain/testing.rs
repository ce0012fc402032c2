//! A KMS and a world around the domain, for tests.

use std::collections::{BTreeSet, HashMap};
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use coffer_api::Page;
use coffer_api::internal::{
    Access, AccessRequest, FeedAnswer, LiveSession, SessionTouch, SharedName, SharedRequest, WrappedKeyring,
};
use coffer_auth::service_token::ServiceName;
use coffer_core::{BlobId, ManualClock, SeededRandom, Timestamp};
use coffer_crypto::keyring::Keyring;
use coffer_kms_link::testing::{self, START};
use coffer_kms_link::{Follower, Kms, KmsError, Link};
use coffer_store::blobs::Blobs;
use coffer_store::records::{MemoryRecords, Records, Sealed, StoreError};

use super::access::AccessCache;
use super::files::Files;
use super::kms::FileKms;

/// A KMS that also says whose files names mean.
#[derive(Debug)]
pub(crate) struct FakeKms {
    link: testing::FakeKms,
    /// By name and owner's address, if one was given.
    pub(crate) access: Mutex<HashMap<(String, Option<String>), Access>>,
    pub(crate) access_checks: AtomicUsize,
    pub(crate) shared: Mutex<Vec<SharedName>>,
}

impl Default for FakeKms {
    fn default() -> Self {
        Self {
            link: testing::FakeKms::of(ServiceName::Data),
            access: Mutex::default(),
            access_checks: AtomicUsize::new(0),
            shared: Mutex::default(),
        }
    }
}

impl Deref for FakeKms {
    type Target = testing::FakeKms;
    fn deref(&self) -> &testing::FakeKms {
        &self.link
    }
}

impl FakeKms {
    pub(crate) fn set_access(&self, name: &str, owner: Option<&str>, access: Access) {
        self.access.lock().unwrap().insert((name.to_owned(), owner.map(str::to_owned)), access);
    }
}

#[async_trait]
impl Kms for FakeKms {
    async fn keyring(&self) -> Result<WrappedKeyring, KmsError> {
        self.link.keyring().await
    }

    async fn check_session(&self, token: &str) -> Result<Option<LiveSession>, KmsError> {
        self.link.check_session(token).await
    }

    async fn touch(&self, touches: &[SessionTouch]) -> Result<(), KmsError> {
        self.link.touch(touches).await
    }

    async fn feed(&self, after: Option<u64>) -> Result<FeedAnswer, KmsError> {
        self.link.feed(after).await
    }
}

#[async_trait]
impl FileKms for FakeKms {
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
}

/// What the domain needs around it, with a clock and a KMS that the test moves.
pub(crate) struct World {
    pub(crate) kms: Arc<FakeKms>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) link: Link,
    pub(crate) access: Arc<AccessCache>,
    pub(crate) follower: Follower,
}

impl World {
    /// A world that follows the feed.
    pub(crate) async fn new() -> Self {
        let kms = Arc::new(FakeKms::default());
        let clock = Arc::new(ManualClock::at(START));
        let link = Link::new(kms.clone(), clock.clone());
        let access = AccessCache::new(kms.clone(), clock.clone(), Arc::clone(link.freshness()));
        let access = Arc::new(access);
        let mut follower = link.follower(vec![access.clone()]);
        follower.poll().await.unwrap();
        Self { kms, clock, link, access, follower }
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
    /// Parts that were read.
    pub(crate) reads: AtomicUsize,
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
        self.reads.fetch_add(1, Ordering::SeqCst);
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

impl FakeBlobs {
    /// The blobs of which anything is there.
    pub(crate) fn ids(&self) -> BTreeSet<BlobId> {
        self.parts.lock().unwrap().keys().map(|(blob, _)| *blob).collect()
    }
}

/// Files over storage in memory.
pub(crate) fn files(clock: &Arc<ManualClock>, blobs: &Arc<FakeBlobs>) -> Files {
    files_over(Arc::new(MemoryRecords::new(clock.clone())), clock, blobs)
}

/// Files over these records.
pub(crate) fn files_over(
    records: Arc<dyn Records>,
    clock: &Arc<ManualClock>,
    blobs: &Arc<FakeBlobs>,
) -> Files {
    let random = Arc::new(SeededRandom::new(5));
    let keyring = Arc::new(Keyring::create(START, &*random));
    let records = Sealed::new(records, keyring, random.clone());
    Files::new(&records, blobs.clone(), clock.clone(), random)
}
