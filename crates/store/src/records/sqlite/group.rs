//! Gathering the commits that go into one transaction.

use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::super::{Commit, Outcome, Partition, StoreError};

/// Commits in one transaction, at most.
const GROUP_COMMITS_MAX: usize = 256;
/// Values in one transaction, in bytes: the group ends with the commit that reaches it.
const GROUP_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Callers that were just answered come back within such a moment. Without waiting for them, they and those
/// who wait already would take turns, in groups of half the size.
const GATHER_MOMENT: Duration = Duration::from_micros(50);
const GATHER_MOMENTS_MAX: u32 = 5;

pub(super) type Answer = Result<Outcome, StoreError>;

pub(super) struct Request {
    pub(super) partition: Partition,
    pub(super) commit: Commit,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// The commits of one transaction.
pub(super) struct Group {
    pub(super) requests: Vec<Request>,
    bytes: usize,
}

impl Group {
    /// Takes `first` and what else waits. While commits come side by side (`crowded`: they did the last time),
    /// waits for more as long as each moment brings some; a caller who is alone is not kept waiting.
    pub(super) fn gather(first: Request, waiting: &mut mpsc::Receiver<Request>, crowded: bool) -> Self {
        let mut group = Self { bytes: first.commit.value_bytes(), requests: vec![first] };
        let more = group.take_waiting(waiting);
        if crowded || more > 0 {
            for _ in 0..GATHER_MOMENTS_MAX {
                if group.is_full() {
                    break;
                }
                thread::sleep(GATHER_MOMENT);
                if group.take_waiting(waiting) == 0 {
                    break;
                }
            }
        }
        group
    }

    fn is_full(&self) -> bool {
        self.requests.len() >= GROUP_COMMITS_MAX || self.bytes >= GROUP_BYTES_MAX
    }

    /// Takes what waits, as far as it fits; answers how many.
    fn take_waiting(&mut self, waiting: &mut mpsc::Receiver<Request>) -> usize {
        let before = self.requests.len();
        while !self.is_full()
            && let Ok(next) = waiting.try_recv()
        {
            self.bytes += next.commit.value_bytes();
            self.requests.push(next);
        }
        self.requests.len() - before
    }
}
