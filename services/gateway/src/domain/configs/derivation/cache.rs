//! Derived keys, in memory only.
//!
//! They are found by a keyed hash of the user key, under a key of this process, so that not even a dump of the memory's
//! index tells a user key without that. A plain map under a lock, not a cache library: an entry comes at most as often
//! as somebody derives, and one that has expired must be gone at a known moment, not when a library cleans up.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use coffer_core::Timestamp;

use super::Derived;

/// Where a derived key is found.
pub(super) type Index = [u8; 32];

/// How long and how many.
#[derive(Clone, Copy, Debug)]
pub(super) struct CacheLimits {
    pub(super) entries_max: usize,
    pub(super) idle: Duration,
    pub(super) life: Duration,
}

#[derive(Debug)]
struct Slot {
    derived: Arc<Derived>,
    made_at: Timestamp,
    used_at_ms: AtomicI64,
}

impl Slot {
    fn is_over(&self, now: Timestamp, limits: CacheLimits) -> bool {
        let used_at = Timestamp::from_ms(self.used_at_ms.load(Ordering::Relaxed));
        now.since(self.made_at) >= limits.life || now.since(used_at) >= limits.idle
    }
}

/// The derived keys of this process. They wipe themselves when they are dropped.
#[derive(Debug)]
pub(super) struct Cache {
    limits: CacheLimits,
    slots: RwLock<HashMap<Index, Slot>>,
}

impl Cache {
    pub(super) fn new(limits: CacheLimits) -> Self {
        Self { limits, slots: RwLock::default() }
    }

    pub(super) fn get(&self, index: &Index, now: Timestamp) -> Option<Arc<Derived>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.get(index).filter(|slot| !slot.is_over(now, self.limits))?;
        slot.used_at_ms.fetch_max(now.as_ms(), Ordering::Relaxed);
        Some(Arc::clone(&slot.derived))
    }

    /// Keeps a derived key; if there is no room, the one that was not used for longest goes.
    pub(super) fn insert(&self, index: Index, derived: Arc<Derived>, now: Timestamp) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= self.limits.entries_max && !slots.contains_key(&index) {
            let used_at = |slot: &Slot| slot.used_at_ms.load(Ordering::Relaxed);
            // A walk over all of them costs far less than the derivation that led here.
            if let Some(oldest) = slots.iter().min_by_key(|(_, slot)| used_at(slot)).map(|(index, _)| *index)
            {
                slots.remove(&oldest);
            }
        }
        slots.insert(index, Slot { derived, made_at: now, used_at_ms: AtomicI64::new(now.as_ms()) });
    }

    pub(super) fn remove(&self, index: &Index) {
        self.slots.write().unwrap_or_else(PoisonError::into_inner).remove(index);
    }

    /// Wipes what has expired.
    pub(super) fn sweep(&self, now: Timestamp) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| !slot.is_over(now, self.limits));
        slots.shrink_to(64);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}
