//! Records that note what they are asked, and fail when they are told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::records::{
    Commit, Outcome, Page, Partition, Record, Records, Sort, SortRange, StoreError, SweepCursor, SweepPage,
    Table, Watch,
};

/// How a commit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happens, and that is known: [`StoreError::Unavailable`].
    Unavailable,
    /// It happens, and nobody is told: [`StoreError::OutcomeUnknown`].
    UnknownDone,
    /// It does not happen, and nobody is told: [`StoreError::OutcomeUnknown`].
    UnknownNotDone,
}

/// What a call was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// [`Records::get`].
    Get,
    /// [`Records::get_many`], of so many keys.
    GetMany(usize),
    /// [`Records::scan`].
    Scan,
    /// [`Records::scan_keys`].
    ScanKeys,
    /// [`Records::sweep`].
    Sweep,
    /// [`Records::commit`].
    Commit {
        /// How many operations it asked for.
        operations: usize,
        /// The values that it puts and appends, together, in bytes.
        value_bytes: usize,
    },
}

/// One call, as it was made: also one that was refused or failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What was asked.
    pub kind: CallKind,
    /// Of which table.
    pub table: Table,
}

/// Calls in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls(pub Vec<Call>);

impl Calls {
    /// All of them.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Those that read.
    pub fn reads(&self) -> usize {
        self.count() - self.commits()
    }

    /// Those that commit.
    pub fn commits(&self) -> usize {
        self.0.iter().filter(|call| matches!(call.kind, CallKind::Commit { .. })).count()
    }

    /// The values in all commits, in bytes.
    pub fn value_bytes(&self) -> usize {
        let bytes = self.0.iter().map(|call| match call.kind {
            CallKind::Commit { value_bytes, .. } => value_bytes,
            _ => 0,
        });
        bytes.sum()
    }
}

/// Notes every read and commit, then passes it on to the records behind. Watching and pinging is passed on
/// and not noted. The notes are in memory and grow until they are [taken](Self::take).
#[derive(Debug)]
pub struct Observed {
    inner: Arc<dyn Records>,
    yields: bool,
    calls: Mutex<Vec<Call>>,
    /// What becomes of the next commits, one each; nothing for one that passes.
    faults: Mutex<VecDeque<Option<Fault>>>,
}

impl Observed {
    /// Observes `inner`.
    pub fn new(inner: Arc<dyn Records>) -> Self {
        Self { inner, yields: false, calls: Mutex::default(), faults: Mutex::default() }
    }

    /// Lets other tasks run before every read and commit, so that calls that race do interleave, also over
    /// records that never wait.
    #[must_use]
    pub fn yielding(self) -> Self {
        Self { yields: true, ..self }
    }

    /// The next commits fail like this, one each, after those that were told to fail before.
    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        locked(&self.faults).extend(faults.into_iter().map(Some));
    }

    /// So many commits pass before those that are told to fail from now on.
    pub fn let_pass(&self, commits: usize) {
        locked(&self.faults).extend(std::iter::repeat_n(None, commits));
    }

    /// Takes back what was said of the next commits.
    pub fn fail_no_more(&self) {
        locked(&self.faults).clear();
    }

    /// The calls since this was last asked.
    pub fn take(&self) -> Calls {
        Calls(std::mem::take(&mut *locked(&self.calls)))
    }

    async fn note(&self, table: Table, kind: CallKind) -> &dyn Records {
        locked(&self.calls).push(Call { kind, table });
        if self.yields {
            tokio::task::yield_now().await;
        }
        &*self.inner
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kind_of(commit: &Commit) -> CallKind {
    CallKind::Commit { operations: commit.operations.len(), value_bytes: commit.value_bytes() }
}

#[async_trait]
impl Records for Observed {
    async fn get(&self, at: &Partition, sort: &Sort) -> Result<Option<Record>, StoreError> {
        self.note(at.table(), CallKind::Get).await.get(at, sort).await
    }

    async fn get_many(&self, at: &Partition, sorts: &[Sort]) -> Result<Vec<Option<Record>>, StoreError> {
        self.note(at.table(), CallKind::GetMany(sorts.len())).await.get_many(at, sorts).await
    }

    async fn scan(
        &self,
        at: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Record>, StoreError> {
        self.note(at.table(), CallKind::Scan).await.scan(at, range, limit).await
    }

    async fn scan_keys(
        &self,
        at: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Sort>, StoreError> {
        self.note(at.table(), CallKind::ScanKeys).await.scan_keys(at, range, limit).await
    }

    async fn commit(&self, at: &Partition, commit: Commit) -> Result<Outcome, StoreError> {
        let inner = self.note(at.table(), kind_of(&commit)).await;
        let (doing, source) = ("a commit that was told to fail", "told to");
        // Taken in a statement of its own: the lock ends here, and not after the commit.
        let fault = locked(&self.faults).pop_front().flatten();
        match fault {
            None => return inner.commit(at, commit).await,
            Some(Fault::Unavailable) => {
                return Err(StoreError::Unavailable { doing, source: source.into() });
            }
            Some(Fault::UnknownNotDone) => {}
            Some(Fault::UnknownDone) => drop(inner.commit(at, commit).await?),
        }
        Err(StoreError::OutcomeUnknown { doing, source: source.into() })
    }

    async fn sweep(
        &self,
        table: Table,
        from: Option<&SweepCursor>,
        limit: usize,
    ) -> Result<SweepPage, StoreError> {
        self.note(table, CallKind::Sweep).await.sweep(table, from, limit).await
    }

    async fn watch(&self, at: &Partition) -> Result<Box<dyn Watch>, StoreError> {
        self.inner.watch(at).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}
