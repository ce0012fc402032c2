//! What this process wrote or read last of each key, so that storing over a known key is one commit.
//!
//! It is used only under a guard on the revision, and never answers a reader: whatever another process did
//! meanwhile, a stale entry costs a refused commit and nothing else.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use coffer_core::UserId;
use coffer_store::records::Version;
use moka::sync::Cache;
use tokio::sync::{Mutex, MutexGuard};

use super::Space;
use super::key::Key;
use crate::repo::kv::{Head, Past, StoredEntry};

/// Memory for all known entries, in bytes, about.
const KNOWN_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What one costs besides its bytes, about.
const OVERHEAD_BYTES: usize = 512;
/// Writers of one key take turns within a process; so many keys at the same time do not meet.
const TURNS: usize = 4096;

/// The current entry of a key, as far as we know.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) version: Version,
    pub(super) head: Head,
}

impl Known {
    pub(super) fn read(stored: &StoredEntry) -> Result<Self, coffer_store::records::StoreError> {
        Ok(Self { version: stored.version(), head: stored.entry()?.head })
    }
}

/// The entries that this process knows.
#[derive(Debug)]
pub(super) struct KnownEntries(Cache<(UserId, Key), Arc<Known>>);

impl KnownEntries {
    pub(super) fn new() -> Self {
        let weigh = |(_, key): &(UserId, Key), known: &Arc<Known>| {
            let bytes = OVERHEAD_BYTES + key.as_str().len() + known.head.trail.len() * size_of::<Past>();
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(KNOWN_BYTES_MAX).weigher(weigh).build())
    }

    pub(super) fn get(&self, space: Space, key: &Key) -> Option<Arc<Known>> {
        self.0.get(&(space.owner, key.clone()))
    }

    pub(super) fn learn(&self, space: Space, key: &Key, known: Known) {
        self.0.insert((space.owner, key.clone()), Arc::new(known));
    }

    pub(super) fn forget(&self, space: Space, key: &Key) {
        self.0.invalidate(&(space.owner, key.clone()));
    }
}

/// Turns of those who write one key: within a process they queue instead of refusing each other.
#[derive(Debug)]
pub(super) struct Turns {
    locks: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self { locks: (0..TURNS).map(|_| Mutex::new(())).collect(), hasher: RandomState::new() }
    }

    pub(super) async fn take(&self, space: Space, key: &Key) -> MutexGuard<'_, ()> {
        let hash = self.hasher.hash_one((space.owner, key));
        let at = usize::try_from(hash % TURNS as u64).expect("there are few turns");
        self.locks[at].lock().await
    }
}
