//! A bounded map that many threads read at once.
//!
//! Not a general cache: entries do not age by themselves, because what is in here is dropped by events and
//! judged by its reader. `moka` was the road not taken: it cannot check a condition and insert under one
//! lock, which is what keeps an overtaken answer out.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

const SHARDS: usize = 32;

/// A map of at most a fixed number of entries.
pub struct Sharded<K, V> {
    shards: [RwLock<HashMap<K, V>>; SHARDS],
    shard_entries_max: usize,
    hasher: RandomState,
}

impl<K: Hash + Eq + Clone, V: Clone> Sharded<K, V> {
    /// A map for about `entries_max` entries.
    pub fn new(entries_max: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            shard_entries_max: entries_max.div_ceil(SHARDS).max(1),
            hasher: RandomState::new(),
        }
    }

    /// What is kept under `key`.
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.read(key).get(key).cloned()
    }

    /// Inserts unless `still` says no. `still` runs under the lock that [`retain`](Self::retain) needs, so
    /// an entry goes in either before a `retain` that sees it, or not at all.
    pub fn insert_if(&self, key: K, value: V, still: impl FnOnce() -> bool) {
        let mut shard = self.write(&key);
        if !still() {
            return;
        }
        if shard.len() >= self.shard_entries_max && !shard.contains_key(&key) {
            // Any entry will do: a wrong choice costs one call to the KMS.
            let victim = shard.keys().next().cloned();
            victim.map(|victim| shard.remove(&victim));
        }
        shard.insert(key, value);
    }

    /// Forgets what is kept under `key`.
    pub fn remove(&self, key: &K) {
        self.write(key).remove(key);
    }

    /// Keeps only the entries that `keep` wants.
    pub fn retain(&self, mut keep: impl FnMut(&K, &V) -> bool) {
        for shard in &self.shards {
            // Nobody leaves a shard half-changed, so one whose holder panicked is still whole.
            shard.write().unwrap_or_else(PoisonError::into_inner).retain(|key, value| keep(key, value));
        }
    }

    fn shard<Q: Hash + ?Sized>(&self, key: &Q) -> &RwLock<HashMap<K, V>> {
        let hash = self.hasher.hash_one(key);
        // The highest bits: the shards' own maps use the others.
        &self.shards[usize::try_from(hash >> 56).unwrap_or(0) % SHARDS]
    }

    fn read<Q: Hash + ?Sized>(&self, key: &Q) -> RwLockReadGuard<'_, HashMap<K, V>> {
        self.shard(key).read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<Q: Hash + ?Sized>(&self, key: &Q) -> RwLockWriteGuard<'_, HashMap<K, V>> {
        self.shard(key).write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> fmt::Debug for Sharded<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sharded").field("shard_entries_max", &self.shard_entries_max).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_never_holds_more_than_its_bound() {
        let map = Sharded::new(SHARDS * 2);
        for key in 0..10_000_u32 {
            map.insert_if(key, (), || true);
        }
        let mut entries = 0;
        map.retain(|_, ()| {
            entries += 1;
            true
        });
        assert!(entries <= SHARDS * 2, "{entries}");
    }

    #[test]
    fn an_insert_whose_condition_fails_leaves_what_was_there() {
        let map = Sharded::new(100);
        map.insert_if(1, "old", || true);
        map.insert_if(1, "new", || false);
        map.insert_if(2, "new", || false);
        assert_eq!((map.get(&1), map.get(&2)), (Some("old"), None));
    }
}
