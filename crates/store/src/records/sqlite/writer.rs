//! The writing side: one thread that puts all waiting commits into one transaction.
//!
//! Each commit checks its own guards before it changes anything, and sees what the commits before it in the
//! group did. So a refused one leaves no trace and needs no savepoint, and the group is worth its one sync.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use coffer_core::{Clock, Timestamp};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::super::rules::{Live, added, holds};
use super::super::sequence::Sequences;
use super::super::watchers::Watchers;
use super::super::{
    COLLECT_SLACK, Commit, Committed, Operation, Outcome, Partition, Record, Sort, StoreError, Value,
};
use super::connection::failed;
use super::group::{Answer, Group, Request};
use super::lock::Lock;
use super::rows;

/// Commits that wait for the next group; the rest wait at the door.
const WAITING_MAX: usize = 1024;
/// How often expired records are collected while there are commits, and how many at once.
const COLLECT_EVERY: Duration = Duration::from_secs(10);
const COLLECTED_MAX: u32 = 500;

pub(super) struct Writer {
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        lock: Lock,
        clock: Arc<dyn Clock>,
        watchers: Arc<Watchers<Partition>>,
    ) -> Result<Self, StoreError> {
        let (requests, waiting) = mpsc::channel(WAITING_MAX);
        let kept = rows::last_version(&connection).map_err(failed("reading the last version"))?;
        let (sequences, collect_at) = (Sequences::behind(kept), Timestamp::from_ms(0));
        let mut state = State { connection, clock, watchers, sequences, kept, collect_at, _lock: lock };
        let thread = thread::Builder::new()
            .name("coffer-sqlite-w".to_owned())
            .spawn(move || state.run(waiting))
            .map_err(|err| StoreError::Unavailable { doing: "starting the writer", source: Box::new(err) })?;
        Ok(Self { requests: Some(requests), thread: Some(thread) })
    }

    pub(super) async fn commit(&self, partition: Partition, commit: Commit) -> Answer {
        const DOING: &str = "committing";
        let (answer, answered) = oneshot::channel();
        let requests = self.requests.as_ref().expect("the writer ends when the store is dropped");
        let request = Request { partition, commit, answer };
        if requests.send(request).await.is_err() {
            return Err(StoreError::Unavailable { doing: DOING, source: "the writer has ended".into() });
        }
        let lost = |err| StoreError::OutcomeUnknown { doing: DOING, source: Box::new(err) };
        answered.await.map_err(lost)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has nothing to hand back.
            let _ = thread.join();
        }
    }
}

struct State {
    connection: Connection,
    clock: Arc<dyn Clock>,
    watchers: Arc<Watchers<Partition>>,
    sequences: Sequences,
    /// The greatest version that is kept.
    kept: u64,
    collect_at: Timestamp,
    _lock: Lock,
}

impl State {
    fn run(&mut self, mut waiting: mpsc::Receiver<Request>) {
        let mut crowded = false;
        while let Some(first) = waiting.blocking_recv() {
            let group = Group::gather(first, &mut waiting, crowded);
            crowded = group.requests.len() > 1;
            self.write(group.requests);
            self.collect();
        }
    }

    fn write(&mut self, group: Vec<Request>) {
        let (places, answers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|request| ((request.partition, request.commit), request.answer)).unzip();
        let partitions: Vec<_> = places.iter().map(|(partition, _)| partition.clone()).collect();
        match self.transact(places) {
            Ok(outcomes) => {
                for ((outcome, partition), answer) in outcomes.into_iter().zip(&partitions).zip(answers) {
                    let committed = outcome.as_ref().is_ok_and(Outcome::is_committed);
                    if committed && partition.table().is_watched() {
                        self.watchers.wake(partition);
                    }
                    let _ = answer.send(outcome);
                }
            }
            Err(failure) => {
                tracing::error!(error = %failure.error, "a group of commits failed");
                for answer in answers {
                    let _ = answer.send(Err(failure.to_store_error()));
                }
            }
        }
    }

    fn transact(&mut self, group: Vec<(Partition, Commit)>) -> Result<Vec<Answer>, Failure> {
        let written = self.write_all(group).and_then(|answers| {
            if self.sequences.greatest() > self.kept {
                rows::set_last_version(&self.connection, self.sequences.greatest())?;
            }
            Ok(answers)
        });
        let failure = match written {
            Err(error) => Failure { error: Arc::new(error), during_commit: false },
            Ok(answers) => match self.connection.execute_batch("COMMIT") {
                Ok(()) => {
                    self.kept = self.sequences.greatest();
                    return Ok(answers);
                }
                // The log may have reached the disk or not.
                Err(error) => Failure { error: Arc::new(error), during_commit: true },
            },
        };
        if !self.connection.is_autocommit()
            && let Err(err) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(error = %err, "rolling back failed");
        }
        Err(failure)
    }

    fn write_all(&mut self, group: Vec<(Partition, Commit)>) -> rusqlite::Result<Vec<Answer>> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let now = self.clock.now();
        group.into_iter().map(|(partition, commit)| self.apply(&partition, commit, now)).collect()
    }

    fn apply(&mut self, partition: &Partition, commit: Commit, now: Timestamp) -> rusqlite::Result<Answer> {
        let db = &self.connection;
        let live = |sort: &Sort| -> rusqlite::Result<Option<Live>> { rows::live(db, partition, sort, now) };
        for (guard, condition) in commit.guards.iter().enumerate() {
            if !holds(condition, live(condition.sort())?) {
                return Ok(Ok(Outcome::Refused { guard }));
            }
        }
        let mut counters = Vec::new();
        for operation in &commit.operations {
            if let Operation::Add { sort, delta, .. } = operation {
                match added(live(sort)?, *delta) {
                    Ok(sum) => counters.push(sum),
                    Err(limit) => return Ok(Err(limit)),
                }
            }
        }
        for operation in &commit.operations {
            if let Operation::Retire { sort, expires_at } = operation
                && let Some(found) = live(sort)?
            {
                rows::retire(db, partition, (sort, found.version), *expires_at)?;
            }
        }
        let version = self.sequences.next(partition, now);
        let mut sums = counters.iter();
        for operation in commit.operations {
            let (sort, value, expires_at) = match operation {
                Operation::Put { sort, value, expires_at } => (sort, Value::Bytes(value), expires_at),
                Operation::Append { prefix, value, expires_at } => {
                    (Sort::log_entry(&prefix, version), Value::Bytes(value), expires_at)
                }
                Operation::Add { sort, expires_at, .. } => {
                    let sum = sums.next().expect("there is a sum for each Add");
                    (sort, Value::Counter(*sum), expires_at)
                }
                Operation::Retire { .. } => continue,
                Operation::Delete { sort } => {
                    rows::delete(db, partition, &sort)?;
                    continue;
                }
            };
            rows::put(db, partition, &Record { sort, value, version, expires_at })?;
        }
        Ok(Ok(Outcome::Committed(Committed { version, counters })))
    }

    fn collect(&mut self) {
        let now = self.clock.now();
        if now < self.collect_at {
            return;
        }
        match rows::collect(&self.connection, now.minus(COLLECT_SLACK), COLLECTED_MAX) {
            // There may be more: go on after the next group.
            Ok(collected) if collected == COLLECTED_MAX as usize => {}
            Ok(_) => self.collect_at = now.plus(COLLECT_EVERY),
            Err(err) => {
                tracing::warn!(error = %err, "collecting expired records failed");
                self.collect_at = now.plus(COLLECT_EVERY);
            }
        }
    }
}

/// Why a whole group failed.
struct Failure {
    error: Arc<rusqlite::Error>,
    during_commit: bool,
}

impl Failure {
    fn to_store_error(&self) -> StoreError {
        let (doing, source) = ("committing", Box::new(Arc::clone(&self.error)));
        if self.during_commit {
            StoreError::OutcomeUnknown { doing, source }
        } else {
            StoreError::Unavailable { doing, source }
        }
    }
}
