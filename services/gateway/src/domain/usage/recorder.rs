//! Takes note of operations, in memory.
//!
//! A request pays for one short lock and for writing its operation behind the others', and never waits for storage.
//! What many operations come to is reckoned when they are taken, by the one who takes them. The road not taken is to
//! count each in a map of keys as it happens: then requests allocate what the flush frees, on another thread, and that
//! makes every small allocation of theirs slower.
//!
//! What is held is bounded: a log that is full is counted on the spot; when there are too many keys, further ones are
//! counted without their names, and how many operations that concerned is counted too.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use coffer_core::UserId;

use super::log::Log;
use super::operation::Operation;
use super::pending::Pending;

const SHARDS: usize = 16;
/// Keys that are noted between two flushes, at most, in each shard.
const SHARD_KEYS_MAX: usize = 16 * 1024;
/// Owners between two flushes, at most, in each shard.
const SHARD_OWNERS_MAX: usize = 4 * 1024;

#[derive(Default)]
struct Shard {
    log: Log,
    /// An empty log whose memory the next one uses.
    spare: Log,
    counted: Counted,
}

/// What is no longer in the log.
#[derive(Default)]
struct Counted {
    owners: HashMap<UserId, Pending>,
    keys: usize,
    lost: u64,
}

/// What was counted since the last flush, of all owners.
#[derive(Default)]
pub(super) struct Recorder {
    shards: [Mutex<Shard>; SHARDS],
}

/// What a flush takes.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) owners: Vec<(UserId, Pending)>,
    /// Operations of owners for whom there was no room.
    pub(super) lost: u64,
}

impl Recorder {
    /// Counts one operation.
    pub(super) fn record(&self, owner: UserId, operation: &Operation<'_>) {
        let mut shard = self.shard(owner);
        let Shard { log, counted, .. } = &mut *shard;
        if log.is_full() {
            counted.count(log);
            log.clear();
        }
        log.push(owner, operation);
    }

    /// Notes that the change log of an owner's keys may have grown.
    pub(super) fn changed(&self, owner: UserId) {
        // Without room, the next change or the next round finds what is in the log.
        if let Some(pending) = self.shard(owner).counted.owner(owner) {
            pending.has_changes = true;
        }
    }

    /// Takes everything.
    pub(super) fn take(&self) -> Taken {
        let mut taken = Taken::default();
        for shard in &self.shards {
            let (log, mut counted) = lock(shard).take();
            counted.count(&log);
            taken.owners.extend(counted.owners);
            taken.lost += counted.lost;
            lock(shard).spare = log.into_spare();
        }
        taken
    }

    /// Puts back what could not be written: it comes before what was counted meanwhile.
    pub(super) fn put_back(&self, owner: UserId, pending: Pending) {
        let mut shard = self.shard(owner);
        let counted = &mut shard.counted;
        let earlier = pending.keys.len();
        let Some(held) = counted.owner(owner) else {
            counted.lost += pending.aggregates.durations_us.count;
            return;
        };
        let later = std::mem::replace(held, pending);
        let known = later.keys.len();
        held.merge(later);
        let together = held.keys.len();
        counted.keys += (together - known).min(earlier);
    }

    fn shard(&self, owner: UserId) -> MutexGuard<'_, Shard> {
        // The last bytes of an id are random.
        lock(&self.shards[usize::from(owner.as_bytes()[15]) % SHARDS])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // A shard whose holder panicked may lack that holder's operation, and nothing else.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shard {
    fn take(&mut self) -> (Log, Counted) {
        let spare = std::mem::take(&mut self.spare);
        (std::mem::replace(&mut self.log, spare), std::mem::take(&mut self.counted))
    }
}

impl Counted {
    /// Counts what is in the log.
    fn count(&mut self, log: &Log) {
        for (owner, operation) in log.operations() {
            let room = self.keys < SHARD_KEYS_MAX;
            match self.owner(owner) {
                Some(pending) => self.keys += usize::from(pending.add(&operation, room)),
                None => self.lost += 1,
            }
        }
    }

    fn owner(&mut self, owner: UserId) -> Option<&mut Pending> {
        if self.owners.len() >= SHARD_OWNERS_MAX && !self.owners.contains_key(&owner) {
            return None;
        }
        Some(self.owners.entry(owner).or_default())
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use coffer_core::Timestamp;

    use super::super::operation::Kind;
    use super::*;

    fn owner(byte: u8) -> UserId {
        UserId::from_bytes([byte; 16])
    }

    fn record(recorder: &Recorder, owner: UserId, key: &str, ms: i64) {
        let at = Timestamp::from_ms(ms);
        let duration = Duration::from_micros(5);
        recorder.record(owner, &Operation { kind: Kind::Read, key, at, duration, data_bytes: 3 });
    }

    #[test]
    fn keys_beyond_the_bound_are_counted_without_their_names() {
        let recorder = Recorder::default();
        for i in 0..SHARD_KEYS_MAX + 10 {
            record(&recorder, owner(1), &format!("k{i}"), 0);
        }
        record(&recorder, owner(1), "k0", 1);
        let taken = recorder.take();
        let pending = &taken.owners[0].1;
        assert_eq!(pending.keys.len(), SHARD_KEYS_MAX);
        assert_eq!(pending.aggregates.undetailed, 10);
        assert_eq!(pending.aggregates.durations_us.count, SHARD_KEYS_MAX as u64 + 11);
        assert!(recorder.take().owners.is_empty());
    }

    #[test]
    fn operations_beyond_what_a_log_holds_are_counted_in_their_order() {
        let recorder = Recorder::default();
        let at = |ms| (Timestamp::from_ms(ms), Duration::from_micros(5));
        for ms in 0..200_000 {
            let ((at, duration), kind) = (at(ms), if ms % 1_000 == 0 { Kind::Delete } else { Kind::Read });
            let key = if ms % 2 == 0 { "even" } else { "odd" };
            recorder.record(owner(1), &Operation { kind, key, at, duration, data_bytes: 3 });
        }
        let (_, pending) = recorder.take().owners.remove(0);
        assert_eq!(pending.aggregates.durations_us.count, 200_000);
        let recent = pending.aggregates.recent.iter().map(|one| one.at.as_ms());
        assert!(recent.eq(199_900..200_000));
        let count = |key| pending.keys[key].apply(None).map(|access| access.count());
        assert_eq!((count("odd"), count("even")), (Some(100_000), Some(499)), "since the last deletion");
        let (_, again) = {
            record(&recorder, owner(1), "next", 1);
            recorder.take().owners.remove(0)
        };
        assert_eq!((again.keys.len(), again.aggregates.durations_us.count), (1, 1));
    }

    #[test]
    fn owners_beyond_the_bound_are_counted_as_lost() {
        let recorder = Recorder::default();
        for i in 0..SHARD_OWNERS_MAX + 3 {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&(i as u64).to_be_bytes());
            record(&recorder, UserId::from_bytes(bytes), "k", 0);
        }
        let taken = recorder.take();
        assert_eq!((taken.owners.len(), taken.lost), (SHARD_OWNERS_MAX, 3));
    }

    #[test]
    fn what_is_put_back_comes_before_what_was_counted_meanwhile() {
        let recorder = Recorder::default();
        (0..3).for_each(|ms| record(&recorder, owner(1), "a", ms));
        let (_, first) = recorder.take().owners.remove(0);
        record(&recorder, owner(1), "b", 7);
        recorder.put_back(owner(1), first);
        let (_, pending) = recorder.take().owners.remove(0);
        let recent: Vec<_> = pending.aggregates.recent.iter().map(|one| one.at.as_ms()).collect();
        assert_eq!(recent, [0, 1, 2, 7]);
        assert_eq!((pending.keys.len(), pending.aggregates.durations_us.count), (2, 4));
    }
}
