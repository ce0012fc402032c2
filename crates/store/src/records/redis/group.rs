//! Commits of one partition that wait for each other go into one call.
//!
//! A commit on a partition where none is under way is sent at once, by its caller. What comes for that partition
//! meanwhile waits, and goes together once the answer is there: so a crowd on one partition costs the server and us a
//! fraction of a call each, and a caller who is alone waits for nobody. Each commit still checks its own guards and
//! sees what those before it did.
//!
//! The road not taken: also sending commits of different partitions in one call. They may be on different servers.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::super::{COMMIT_ITEMS_MAX, Commit, Outcome, Partition, StoreError};
use super::call::{Caller, DOING};
use super::commit::unexpected;

/// Guards and operations of one group, at most: as many as one commit may have.
const GROUP_ITEMS_MAX: usize = COMMIT_ITEMS_MAX;
/// Values of one group, in bytes: it ends with the commit that reaches it.
const GROUP_BYTES_MAX: usize = 256 * 1024;
/// A commit whose values have more bytes than this goes alone and waits for nobody: what a call costs is little
/// beside them, and they are better under way while others are worked on.
const SMALL_BYTES_MAX: usize = 64 * 1024;

type Answer = Result<Outcome, StoreError>;

struct Waiting {
    commit: Commit,
    answer: oneshot::Sender<Answer>,
}

/// Sends commits. Cheap to clone.
#[derive(Clone)]
pub(super) struct Groups(Arc<Inner>);

struct Inner {
    caller: Caller,
    /// The partitions on which something is under way, and what waits there for its end.
    busy: Mutex<HashMap<Partition, VecDeque<Waiting>>>,
    /// Groups are sent from the runtime that opened the store: a caller may give up, or its runtime end.
    runtime: Handle,
}

impl Groups {
    pub(super) fn new(caller: Caller) -> Self {
        Self(Arc::new(Inner { caller, busy: Mutex::default(), runtime: Handle::current() }))
    }

    pub(super) async fn commit(&self, partition: &Partition, commit: Commit) -> Answer {
        if commit.value_bytes() > SMALL_BYTES_MAX {
            return self.0.alone(partition, &commit).await;
        }
        match self.enter(partition, commit) {
            Entered::First(_turn, commit) => self.0.alone(partition, &commit).await,
            Entered::Behind(answered) => {
                let lost = |err| StoreError::OutcomeUnknown { doing: DOING, source: Box::new(err) };
                answered.await.map_err(lost)?
            }
        }
    }

    fn enter(&self, partition: &Partition, commit: Commit) -> Entered {
        match self.0.busy().entry(partition.clone()) {
            Entry::Occupied(mut busy) => {
                let (answer, answered) = oneshot::channel();
                busy.get_mut().push_back(Waiting { commit, answer });
                Entered::Behind(answered)
            }
            Entry::Vacant(idle) => {
                idle.insert(VecDeque::new());
                Entered::First(FirstTurn(Arc::clone(&self.0), partition.clone()), commit)
            }
        }
    }
}

/// How a commit comes to its turn.
enum Entered {
    First(FirstTurn, Commit),
    Behind(oneshot::Receiver<Answer>),
}

/// The turn of a caller who sends his commit himself. When it is over, also because he gave up, those who wait are
/// next.
struct FirstTurn(Arc<Inner>, Partition);

impl Drop for FirstTurn {
    fn drop(&mut self) {
        let Self(inner, partition) = self;
        {
            let mut busy = inner.busy();
            if busy.get(partition).is_none_or(VecDeque::is_empty) {
                busy.remove(partition);
                return;
            }
        }
        let turns = Turns { inner: Arc::clone(inner), partition: partition.clone(), are_over: false };
        inner.runtime.spawn(turns.take_all());
    }
}

/// The turns of those who wait, group after group.
struct Turns {
    inner: Arc<Inner>,
    partition: Partition,
    are_over: bool,
}

impl Turns {
    async fn take_all(mut self) {
        while let Some(group) = self.inner.next_group(&self.partition) {
            let (commits, answers): (Vec<_>, Vec<_>) =
                group.into_iter().map(|waiting| (waiting.commit, waiting.answer)).unzip();
            let outcomes = self.inner.caller.call(&self.partition, &commits).await;
            // Nobody may be there any more to take an answer.
            match outcomes {
                Ok(outcomes) => answers.into_iter().zip(outcomes).for_each(|(answer, outcome)| {
                    let _ = answer.send(outcome);
                }),
                Err(failure) => answers.into_iter().for_each(|answer| {
                    let _ = answer.send(Err(failure.to_store_error()));
                }),
            }
        }
        self.are_over = true;
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        if !self.are_over {
            // The runtime has ended. Who waits is told so, and who comes next does not wait.
            self.inner.busy().remove(&self.partition);
        }
    }
}

impl Inner {
    fn busy(&self) -> MutexGuard<'_, HashMap<Partition, VecDeque<Waiting>>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn alone(&self, partition: &Partition, commit: &Commit) -> Answer {
        match self.caller.call(partition, std::slice::from_ref(commit)).await {
            Ok(outcomes) => outcomes.into_iter().next().unwrap_or_else(|| Err(unexpected())),
            Err(failure) => Err(failure.to_store_error()),
        }
    }

    /// What goes next, as far as it fits together; if nothing waits, the partition is free.
    fn next_group(&self, partition: &Partition) -> Option<Vec<Waiting>> {
        let mut busy = self.busy();
        let waiting = busy.get_mut(partition)?;
        let (mut group, mut items, mut bytes) = (Vec::with_capacity(waiting.len()), 0, 0);
        while let Some(next) = waiting.front() {
            items += next.commit.guards.len() + next.commit.operations.len();
            if !group.is_empty() && (items > GROUP_ITEMS_MAX || bytes >= GROUP_BYTES_MAX) {
                break;
            }
            bytes += next.commit.value_bytes();
            group.extend(waiting.pop_front());
        }
        if group.is_empty() {
            busy.remove(partition);
            return None;
        }
        Some(group)
    }
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Groups")
    }
}
