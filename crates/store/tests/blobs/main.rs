//! The blobs contract, tried on every back end, and what each back end promises beyond it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and says where")]

mod conformance;
mod durability;

use std::any::Any;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use coffer_core::{BlobId, SystemRandom, Timestamp};
use coffer_store::blobs::{Blobs, MemoryBlobs, open};
use coffer_store::testing::RedisServer;

/// A store of the test's own and what must outlive it.
pub(crate) struct Bed {
    pub(crate) blobs: Arc<dyn Blobs>,
    _keep: Box<dyn Any + Send + Sync>,
}

impl Bed {
    fn memory() -> Self {
        Self { blobs: Arc::new(MemoryBlobs::default()), _keep: Box::new(()) }
    }

    async fn file() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let blobs = open(&format!("file://{}/blobs", dir.path().display())).await.unwrap();
        Self { blobs, _keep: Box::new(dir) }
    }

    async fn redis() -> Self {
        static SERVER: LazyLock<RedisServer> = LazyLock::new(|| {
            // None of these tests kills it, so it need not sync before each answer.
            RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "everysec"])
        });
        static PLACES: AtomicU32 = AtomicU32::new(0);
        let place = PLACES.fetch_add(1, Ordering::Relaxed);
        let blobs = open(&format!("{}?prefix=test-{place}", SERVER.url())).await.unwrap();
        Self { blobs, _keep: Box::new(()) }
    }
}

/// A blob id made at this moment.
pub(crate) fn id_at(ms: i64) -> BlobId {
    BlobId::make(Timestamp::from_ms(ms), &SystemRandom)
}
