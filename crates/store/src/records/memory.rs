//! Records in memory: for tests, and for `memory:`, which forgets everything when the process ends.
//!
//! One lock over ordered maps. It is the plainest reading of the contract, so the other back ends are
//! judged against it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use coffer_core::{Clock, Timestamp};

use super::cursor::{self, Place};
use super::rules::{Live, added, holds, is_live};
use super::sequence::Sequences;
use super::watchers::Watchers;
use super::{
    COLLECT_SLACK, Commit, Committed, Operation, Outcome, Page, PageBudget, Partition, Record, Records, Sort,
    SortRange, StoreError, SweepCursor, SweepPage, Table, Value, Version, Watch, limits,
};

/// Expired records that one commit collects at most, so that no commit pays for many.
const COLLECTED_PER_COMMIT_MAX: usize = 8;

/// The memory back end.
pub struct MemoryRecords {
    clock: Arc<dyn Clock>,
    state: RwLock<State>,
    watchers: Watchers<Partition>,
}

struct State {
    sequences: Sequences,
    partitions: BTreeMap<Partition, BTreeMap<Sort, Stored>>,
    /// Every record that expires, by when it does.
    expiring: BTreeSet<(Timestamp, Partition, Sort)>,
}

struct Stored {
    value: Value,
    version: Version,
    expires_at: Option<Timestamp>,
}

impl Stored {
    fn record(&self, sort: &Sort) -> Record {
        Record {
            sort: sort.clone(),
            value: self.value.clone(),
            version: self.version,
            expires_at: self.expires_at,
        }
    }
}

impl State {
    fn get(&self, partition: &Partition, sort: &Sort, now: Timestamp) -> Option<&Stored> {
        self.partitions.get(partition)?.get(sort).filter(|stored| is_live(stored.expires_at, now))
    }

    fn range<'a>(
        &'a self,
        partition: &Partition,
        range: &SortRange,
    ) -> impl Iterator<Item = (&'a Sort, &'a Stored)> {
        let from = Bound::Included(Sort::from_bytes(range.from.clone()));
        let until =
            range.until.clone().map_or(Bound::Unbounded, |key| Bound::Excluded(Sort::from_bytes(key)));
        let reversed = range.until.as_ref().is_some_and(|until| *until < range.from);
        // A range whose end precedes its start is empty; `BTreeMap::range` would panic on it.
        let records = self.partitions.get(partition).filter(|_| !reversed);
        records.into_iter().flat_map(move |records| records.range((from.clone(), until.clone())))
    }

    fn commit(
        &mut self,
        partition: &Partition,
        commit: Commit,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let live =
            |sort| self.get(partition, sort, now).map(|stored| Live::of(stored.version, &stored.value));
        if let Some(guard) = commit.guards.iter().position(|guard| !holds(guard, live(guard.sort()))) {
            return Ok(Outcome::Refused { guard });
        }
        let mut counters = Vec::new();
        for operation in &commit.operations {
            if let Operation::Add { sort, delta, .. } = operation {
                counters.push(added(live(sort), *delta)?);
            }
        }
        // From here on nothing fails.
        let version = self.sequences.next(partition, now);
        for operation in &commit.operations {
            if let Operation::Retire { sort, expires_at } = operation {
                self.retire(partition, sort, (*expires_at, now));
            }
        }
        let mut sums = counters.iter();
        for operation in commit.operations {
            let (sort, written) = match operation {
                Operation::Put { sort, value, expires_at } => (sort, Some((Value::Bytes(value), expires_at))),
                Operation::Append { prefix, value, expires_at } => {
                    (Sort::log_entry(&prefix, version), Some((Value::Bytes(value), expires_at)))
                }
                Operation::Retire { .. } => continue,
                Operation::Delete { sort } => (sort, None),
                Operation::Add { sort, expires_at, .. } => {
                    (sort, sums.next().map(|sum| (Value::Counter(*sum), expires_at)))
                }
            };
            self.remove(partition, &sort);
            if let Some((value, expires_at)) = written {
                self.insert(partition, sort, Stored { value, version, expires_at });
            }
        }
        self.collect(now);
        Ok(Outcome::Committed(Committed { version, counters }))
    }

    fn retire(&mut self, at: &Partition, sort: &Sort, (expires_at, now): (Option<Timestamp>, Timestamp)) {
        let Some(stored) = self.get(at, sort, now) else { return };
        let past = Stored { value: stored.value.clone(), version: stored.version, expires_at };
        self.remove(at, sort);
        self.insert(at, Sort::past(sort, past.version), past);
    }

    fn insert(&mut self, partition: &Partition, sort: Sort, stored: Stored) {
        if let Some(expires_at) = stored.expires_at {
            self.expiring.insert((expires_at, partition.clone(), sort.clone()));
        }
        self.partitions.entry(partition.clone()).or_default().insert(sort, stored);
    }

    fn remove(&mut self, partition: &Partition, sort: &Sort) {
        let Some(records) = self.partitions.get_mut(partition) else { return };
        let removed = records.remove(sort);
        if records.is_empty() {
            self.partitions.remove(partition);
        }
        if let Some(expires_at) = removed.and_then(|stored| stored.expires_at) {
            self.expiring.remove(&(expires_at, partition.clone(), sort.clone()));
        }
    }

    fn collect(&mut self, now: Timestamp) {
        for _ in 0..COLLECTED_PER_COMMIT_MAX {
            match self.expiring.first() {
                Some((expires_at, ..)) if expires_at.plus(COLLECT_SLACK) <= now => {}
                _ => return,
            }
            if let Some((_, partition, sort)) = self.expiring.pop_first() {
                self.remove(&partition, &sort);
            }
        }
    }
}

impl MemoryRecords {
    /// An empty store that judges expiry by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let state =
            State { sequences: Sequences::behind(0), partitions: BTreeMap::new(), expiring: BTreeSet::new() };
        Self { clock, state: RwLock::new(state), watchers: Watchers::default() }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryRecords")
    }
}

#[async_trait]
impl Records for MemoryRecords {
    async fn get(&self, partition: &Partition, sort: &Sort) -> Result<Option<Record>, StoreError> {
        limits::address(partition, sort)?;
        Ok(self.read().get(partition, sort, self.clock.now()).map(|stored| stored.record(sort)))
    }

    async fn get_many(
        &self,
        partition: &Partition,
        sorts: &[Sort],
    ) -> Result<Vec<Option<Record>>, StoreError> {
        limits::addresses(partition, sorts)?;
        let (state, now) = (self.read(), self.clock.now());
        let get = |sort| state.get(partition, sort, now).map(|stored| stored.record(sort));
        Ok(sorts.iter().map(get).collect())
    }

    async fn scan(
        &self,
        partition: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Record>, StoreError> {
        limits::scan(partition, range, limit)?;
        let (state, now) = (self.read(), self.clock.now());
        let mut live = state.range(partition, range).filter(|(_, stored)| is_live(stored.expires_at, now));
        let (mut items, mut budget) = (Vec::new(), PageBudget::new(limit));
        while budget.is_left()
            && let Some((sort, stored)) = live.next()
        {
            let record = stored.record(sort);
            budget.spend(&record);
            items.push(record);
        }
        Ok(Page { items, more: live.next().is_some() })
    }

    async fn scan_keys(
        &self,
        partition: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Sort>, StoreError> {
        limits::scan(partition, range, limit)?;
        let (state, now) = (self.read(), self.clock.now());
        let mut live = state.range(partition, range).filter(|(_, stored)| is_live(stored.expires_at, now));
        let items = live.by_ref().take(limit).map(|(sort, _)| sort.clone()).collect();
        Ok(Page { items, more: live.next().is_some() })
    }

    async fn commit(&self, partition: &Partition, commit: Commit) -> Result<Outcome, StoreError> {
        limits::commit(partition, &commit)?;
        let outcome = self.write().commit(partition, commit, self.clock.now())?;
        if outcome.is_committed() && partition.table().is_watched() {
            self.watchers.wake(partition);
        }
        Ok(outcome)
    }

    async fn sweep(
        &self,
        table: Table,
        from: Option<&SweepCursor>,
        limit: usize,
    ) -> Result<SweepPage, StoreError> {
        limits::page(limit)?;
        let place = from.map(cursor::decode).transpose()?;
        let (first, mut after) = match place {
            Some(Place { partition, sort }) => (Partition::new(table, partition), Some(sort)),
            None => (Partition::new(table, []), None),
        };
        let state = self.read();
        let (mut items, mut budget): (Vec<(Partition, Record)>, _) = (Vec::new(), PageBudget::new(limit));
        let in_table = state.partitions.range(&first..).take_while(|(at, _)| at.table() == table);
        for (partition, records) in in_table {
            // Only the partition of the cursor itself goes on behind a sort key.
            let behind = after.take().filter(|_| *partition == first);
            let start = behind.map_or(Bound::Unbounded, |sort| Bound::Excluded(Sort::from_bytes(sort)));
            for (sort, stored) in records.range((start, Bound::Unbounded)) {
                if !budget.is_left() {
                    let next =
                        items.last().map(|(partition, record)| cursor::encode(partition, &record.sort));
                    return Ok(SweepPage { items, next });
                }
                let record = stored.record(sort);
                budget.spend(&record);
                items.push((partition.clone(), record));
            }
        }
        Ok(SweepPage { items, next: None })
    }

    async fn watch(&self, partition: &Partition) -> Result<Box<dyn Watch>, StoreError> {
        limits::watchable(partition.table())?;
        Ok(self.watchers.watch(partition.clone()))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
