//! The reading side: threads with a read-only connection each, fed from one queue.
//!
//! A reader takes several waiting questions at once and answers them in one read transaction, which
//! spreads the price of waking a thread and of taking a snapshot. The snapshot is taken after the questions
//! were asked, so a caller always sees its own commits.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::super::StoreError;
use super::connection::{failed, open_for_reading};

/// Questions that one reader answers in one transaction, at most.
const BATCH_MAX: usize = 32;
/// Questions that may wait; more is a caller without limits of its own.
const WAITING_MAX: usize = 16 * 1024;
/// Readers at most: they are bound by the processor, and each keeps a cache.
const READERS_MAX: usize = 4;

type Question = Box<dyn FnOnce(&Connection) + Send>;

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Question>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    asked: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for questions; nothing when the store is closed and all are answered.
    fn take(&self) -> Option<Vec<Question>> {
        let mut queue = self.lock();
        while queue.waiting.is_empty() {
            if queue.closed {
                return None;
            }
            queue = self.asked.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let count = queue.waiting.len().min(BATCH_MAX);
        Some(queue.waiting.drain(..count).collect())
    }
}

pub(super) struct Readers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let count = thread::available_parallelism().map_or(1, usize::from).clamp(2, READERS_MAX);
        let mut readers = Self { shared: Arc::default(), threads: Vec::new() };
        for _ in 0..count {
            let connection = open_for_reading(path)?;
            let shared = Arc::clone(&readers.shared);
            let thread = thread::Builder::new().name("coffer-sqlite-r".to_owned());
            let thread = thread.spawn(move || read(&connection, &shared)).map_err(|err| {
                StoreError::Unavailable { doing: "starting a reader thread", source: Box::new(err) }
            })?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    /// Has a reader answer `question`.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        doing: &'static str,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let question: Question = Box::new(move |connection| {
            // A caller that is gone needs no answer.
            if !answer.is_closed() {
                let _ = answer.send(question(connection));
            }
        });
        self.ask(doing, question)?;
        let unavailable = |err| StoreError::Unavailable { doing, source: Box::new(err) };
        answered.await.map_err(unavailable)?.map_err(failed(doing))
    }

    fn ask(&self, doing: &'static str, question: Question) -> Result<(), StoreError> {
        let mut queue = self.shared.lock();
        if queue.waiting.len() >= WAITING_MAX {
            return Err(StoreError::Unavailable { doing, source: "too many reads are waiting".into() });
        }
        queue.waiting.push_back(question);
        drop(queue);
        self.shared.asked.notify_one();
        Ok(())
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.asked.notify_all();
        for thread in self.threads.drain(..) {
            // A reader that panicked has nothing to hand back.
            let _ = thread.join();
        }
    }
}

fn read(connection: &Connection, shared: &Shared) {
    while let Some(questions) = shared.take() {
        // Without a transaction each question takes a snapshot of its own: slower, and as right.
        let batched = connection.prepare_cached("BEGIN").and_then(|mut begin| begin.execute([])).is_ok();
        for question in questions {
            question(connection);
        }
        if batched && connection.prepare_cached("COMMIT").and_then(|mut end| end.execute([])).is_err() {
            // A transaction left open would show old data for ever.
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
}
