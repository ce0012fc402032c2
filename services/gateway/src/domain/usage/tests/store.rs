//! A store that counts what it is asked, and fails when it is told to.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use coffer_store::records::{
    Commit, Operation, Outcome, Page, Partition, Record, Records, Sort, SortRange, StoreError, SweepCursor,
    SweepPage, Table, Watch,
};

/// How a commit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing happens, and that is known.
    Unavailable,
    /// It happens, and nobody is told.
    UnknownDone,
    /// It does not happen, and nobody is told.
    UnknownNotDone,
}

#[derive(Debug)]
pub(super) struct TestRecords {
    inner: Arc<dyn Records>,
    faults: Mutex<VecDeque<Fault>>,
    calls: AtomicUsize,
    written_bytes: AtomicUsize,
}

impl TestRecords {
    pub(super) fn new(inner: Arc<dyn Records>) -> Self {
        Self {
            inner,
            faults: Mutex::default(),
            calls: AtomicUsize::new(0),
            written_bytes: AtomicUsize::new(0),
        }
    }

    /// The next commits fail like this.
    pub(super) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// Calls and bytes written since this was last asked.
    pub(super) fn cost(&self) -> (usize, usize) {
        (self.calls.swap(0, Ordering::SeqCst), self.written_bytes.swap(0, Ordering::SeqCst))
    }

    fn call(&self) {
        self.calls.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Records for TestRecords {
    async fn get(&self, partition: &Partition, sort: &Sort) -> Result<Option<Record>, StoreError> {
        self.call();
        self.inner.get(partition, sort).await
    }

    async fn get_many(&self, at: &Partition, sorts: &[Sort]) -> Result<Vec<Option<Record>>, StoreError> {
        self.call();
        self.inner.get_many(at, sorts).await
    }

    async fn scan(
        &self,
        at: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Record>, StoreError> {
        self.call();
        self.inner.scan(at, range, limit).await
    }

    async fn scan_keys(
        &self,
        at: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Sort>, StoreError> {
        self.call();
        self.inner.scan_keys(at, range, limit).await
    }

    async fn commit(&self, partition: &Partition, commit: Commit) -> Result<Outcome, StoreError> {
        self.call();
        let bytes = commit.operations.iter().map(|operation| match operation {
            Operation::Put { value, .. } => value.len(),
            _ => 0,
        });
        self.written_bytes.fetch_add(bytes.sum(), Ordering::SeqCst);
        let fault = self.faults.lock().unwrap().pop_front();
        let unknown = || StoreError::OutcomeUnknown { doing: "a test", source: "told to".into() };
        match fault {
            None => self.inner.commit(partition, commit).await,
            Some(Fault::Unavailable) => {
                Err(StoreError::Unavailable { doing: "a test", source: "told to".into() })
            }
            Some(Fault::UnknownNotDone) => Err(unknown()),
            Some(Fault::UnknownDone) => {
                self.inner.commit(partition, commit).await?;
                Err(unknown())
            }
        }
    }

    async fn sweep(
        &self,
        table: Table,
        from: Option<&SweepCursor>,
        limit: usize,
    ) -> Result<SweepPage, StoreError> {
        self.inner.sweep(table, from, limit).await
    }

    async fn watch(&self, partition: &Partition) -> Result<Box<dyn Watch>, StoreError> {
        self.inner.watch(partition).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}
