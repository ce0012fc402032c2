//! One version of a keyring, and the set of them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use coffer_core::{Random, SecretKey, Timestamp, make_secret_key};

use super::VERSIONS_MAX;
use crate::hazmat::Xaes256Gcm;

/// The number of a version within its keyring; the first is 1. Numbers are never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u32);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({})", self.0)
    }
}

/// What may be known of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionInfo {
    /// Its number.
    pub id: KeyId,
    /// When it was made; rotation by age goes by this.
    pub created_at: Timestamp,
    /// Whether values are sealed under it now.
    pub active: bool,
    /// How many values this process has sealed under it; rotation by use goes by the sum over all
    /// processes, see [`Keyring::take_sealings`](super::Keyring::take_sealings).
    pub sealings: u64,
}

/// A version with its key, kept both as a prepared cipher and as bytes for wrapping.
pub(super) struct Version {
    pub(super) id: KeyId,
    pub(super) created_at: Timestamp,
    pub(super) key: SecretKey,
    pub(super) cipher: Xaes256Gcm,
    sealings: AtomicU64,
    reported: AtomicU64,
}

impl Version {
    pub(super) fn new(id: KeyId, created_at: Timestamp, key: SecretKey) -> Self {
        let cipher = Xaes256Gcm::new(key.expose());
        Self { id, created_at, key, cipher, sealings: AtomicU64::new(0), reported: AtomicU64::new(0) }
    }

    pub(super) fn make(id: KeyId, now: Timestamp, random: &dyn Random) -> Self {
        Self::new(id, now, make_secret_key(random))
    }

    pub(super) fn count_sealing(&self) {
        self.sealings.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn sealings(&self) -> u64 {
        self.sealings.load(Ordering::Relaxed)
    }

    /// Sealings since the last time this was asked.
    pub(super) fn take_sealings(&self) -> u64 {
        let sealings = self.sealings();
        sealings.saturating_sub(self.reported.fetch_max(sealings, Ordering::Relaxed))
    }
}

/// All versions, in the order of their ids, and which of them is active.
pub(super) struct Versions {
    all: Vec<Arc<Version>>,
    active: usize,
}

impl Versions {
    /// `None` unless the ids rise strictly, the active one is among them, and there are not too many.
    pub(super) fn new(all: Vec<Arc<Version>>, active: KeyId) -> Option<Self> {
        let rising = all.is_sorted_by(|a, b| a.id < b.id);
        let active = all.binary_search_by_key(&active, |version| version.id).ok()?;
        (rising && all.len() <= VERSIONS_MAX).then_some(Self { all, active })
    }

    pub(super) fn active(&self) -> &Version {
        &self.all[self.active]
    }

    pub(super) fn get(&self, id: KeyId) -> Option<&Version> {
        // Nearly everything is under the newest few versions, and the search finds any of them.
        self.all.binary_search_by_key(&id, |version| version.id).ok().map(|at| &*self.all[at])
    }

    pub(super) fn all(&self) -> &[Arc<Version>] {
        &self.all
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}
