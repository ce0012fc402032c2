//! When configurations were last read, to the hour.
//!
//! A read costs a look into a map. What it finds out, that a configuration is read for the first time in this hour, waits in
//! memory for the next flush, which writes it for all together; so a configuration that is read all the time is written
//! of once an hour by each gateway. What waits is bounded: what finds no room is noted by a later read. What a process
//! that is killed had not written is lost, some seconds of it.
//!
//! The times are sealed in the name space like everything there. To write them its keys are needed, and nothing here keeps
//! those in memory: if they are wiped before the flush, because the user key was given up or has long not been used,
//! what was noted is lost too.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use coffer_core::Timestamp;
use coffer_crypto::space::SpaceKeys;
use coffer_store::records::StoreError;

use super::Configs;
use super::space::OpenSpace;
use crate::repo::configs::ReadTimes;

/// How often what was noted is written.
const FLUSH: Duration = Duration::from_secs(10);
/// Configurations that wait to be written, at most.
const PENDING_MAX: usize = 16 * 1024;
/// Configurations of one name space of which it is remembered that they were noted, at most.
const SEEN_MAX: usize = 2048;
/// How often a record that others write at the same time is tried.
const TRIES_MAX: u32 = 4;
const HOUR_MS: i64 = 60 * 60 * 1000;

/// Hours since 1970 by the numbers of configurations.
pub(super) type Hours = BTreeMap<u64, u32>;

/// What waits to be written.
#[derive(Debug, Default)]
pub(super) struct Reads(Mutex<Pending>);

#[derive(Debug, Default)]
struct Pending {
    spaces: HashMap<[u8; 16], (Weak<OpenSpace>, Hours)>,
    configs: usize,
}

/// The hours in which configurations of a name space were last noted here.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<HashMap<u64, u32>>);

impl Seen {
    /// Whether this is news.
    fn note(&self, id: u64, hour: u32) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.get(&id) == Some(&hour) {
            return false;
        }
        if seen.len() >= SEEN_MAX {
            seen.clear();
        }
        seen.insert(id, hour);
        true
    }

    fn forget(&self, id: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// When a configuration was last noted here.
    pub(super) fn hour(&self, id: u64) -> Option<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied()
    }
}

/// The hour in which a moment is.
fn hour_of(at: Timestamp) -> u32 {
    u32::try_from(at.as_ms().div_euclid(HOUR_MS)).unwrap_or(0)
}

/// The beginning of an hour.
pub(super) fn moment(hour: u32) -> Timestamp {
    Timestamp::from_ms(i64::from(hour) * HOUR_MS)
}

impl Reads {
    fn lock(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a configuration was read.
    pub(super) fn note(&self, space: &Arc<OpenSpace>, id: u64, now: Timestamp) {
        let hour = hour_of(now);
        if space.seen.note(id, hour) && !self.put(space, id, hour) {
            space.seen.forget(id);
        }
    }

    fn put(&self, space: &Arc<OpenSpace>, id: u64, hour: u32) -> bool {
        let mut pending = self.lock();
        if pending.configs >= PENDING_MAX {
            return false;
        }
        let (opened, hours) = pending.spaces.entry(*space.keys.id()).or_default();
        // The latest: earlier ones may be wiped.
        *opened = Arc::downgrade(space);
        if hours.insert(id, hour).is_none() {
            pending.configs += 1;
        }
        true
    }

    fn take(&self) -> Vec<(Arc<OpenSpace>, Hours)> {
        let spaces = std::mem::take(&mut *self.lock()).spaces.into_values();
        spaces.filter_map(|(space, hours)| Some((space.upgrade()?, hours))).collect()
    }
}

impl Configs {
    /// Writes what was noted of reads until it is dropped.
    pub(super) async fn note_reads_for_ever(&self) {
        loop {
            tokio::time::sleep(FLUSH).await;
            self.flush_reads().await;
        }
    }

    /// Writes what was noted of reads.
    pub(super) async fn flush_reads(&self) {
        let mut taken = self.0.reads.take().into_iter();
        while let Some((space, hours)) = taken.next() {
            if let Err(error) = self.write_reads(&space, &hours).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "times of reads wait");
                // The storage is away, so the others wait as well.
                for (space, hours) in std::iter::once((space, hours)).chain(taken) {
                    for (id, hour) in hours {
                        self.0.reads.put(&space, id, hour);
                    }
                }
                return;
            }
        }
    }

    async fn write_reads(&self, space: &OpenSpace, hours: &Hours) -> Result<(), StoreError> {
        let mut buckets: BTreeMap<u64, Hours> = BTreeMap::new();
        for (id, hour) in hours {
            buckets.entry(ReadTimes::bucket_of(*id)).or_default().insert(*id, *hour);
        }
        for (bucket, hours) in buckets {
            for tried in 0..TRIES_MAX {
                let merge = |times: &mut Hours| {
                    for (id, hour) in &hours {
                        let last = times.entry(*id).or_default();
                        *last = (*last).max(*hour);
                    }
                };
                if self.edit_reads((&space.keys, space.owner), bucket, merge).await? {
                    break;
                }
                self.pause(tried).await;
            }
        }
        Ok(())
    }

    /// Changes a record of times; says whether it did, or the name space is no longer ours and it need not.
    pub(super) async fn edit_reads(
        &self,
        (space, owner): (&SpaceKeys, coffer_store::records::Version),
        bucket: u64,
        edit: impl FnOnce(&mut Hours),
    ) -> Result<bool, StoreError> {
        let Some((times, version)) = self.0.repo.read_times(space, owner, bucket).await? else {
            return Ok(true);
        };
        let mut edited = times.hours.clone();
        edit(&mut edited);
        if edited == times.hours {
            return Ok(true);
        }
        let edited = ReadTimes { hours: edited };
        self.0.repo.put_read_times((space, owner), (bucket, version), &edited, &*self.0.random).await
    }
}
