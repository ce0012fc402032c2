//! Group commit: many callers, one write.
//!
//! A security event is awaited before a key leaves the house, and a revocation before it is
//! acknowledged; a commit each would cost a disk flush each. So callers hand their item to one task,
//! which writes everything that has gathered while the write before was under way. Alone, a caller waits
//! for one write; in a crowd, for at most two, and for the pause between them if there is a [`Pace`]. Who knows
//! that others are about to follow can say so; then a write waits for them, for a bounded time.
//!
//! The writing is done by a task and not by the first caller, because a caller may be dropped in the
//! middle (a client hung up) and must not take the others' items with it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use coffer_store::records::StoreError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout_at};

/// How quickly writes follow each other.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A write of at least so many items shows a crowd.
    pub crowd_items: usize,
    /// In a crowd, so long passes between two writes.
    pub pause: Duration,
    /// So long a write waits for others that are about to follow.
    pub linger: Duration,
}

impl Pace {
    /// A write begins as soon as the one before it is done.
    pub const AT_ONCE: Self = Self { crowd_items: usize::MAX, pause: Duration::ZERO, linger: Duration::ZERO };
}

/// Items that may wait for a write; more callers wait before they join.
const WAITING_ITEMS_MAX: usize = 4096;

/// Why an item was not written, or may not have been.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GroupError {
    /// The write of the whole group failed.
    #[error("writing a group of {what}")]
    Store {
        /// What was being written.
        what: &'static str,
        /// The failure that all of the group share.
        #[source]
        source: Arc<StoreError>,
    },
    /// The writer is gone: the process is shutting down.
    #[error("no longer writing {0}")]
    Closed(&'static str),
}

/// Writes groups of items.
pub trait WriteGroup<T>: Send + 'static {
    /// Writes all of `items`, in their order.
    fn write(&mut self, items: Vec<T>) -> impl Future<Output = Result<(), StoreError>> + Send;
}

struct Waiting<T> {
    item: T,
    others_follow: bool,
    written: oneshot::Sender<Result<(), Arc<StoreError>>>,
}

/// A handle to a writing task, which ends with the last handle and what was handed over before.
pub struct Group<T> {
    what: &'static str,
    queue: mpsc::Sender<Waiting<T>>,
}

impl<T: Send + 'static> Group<T> {
    /// Starts the task, on the current runtime. `items_max` is the size of a group.
    pub fn start(what: &'static str, (items_max, pace): (usize, Pace), writer: impl WriteGroup<T>) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING_ITEMS_MAX);
        tokio::spawn(run((items_max, pace), writer, waiting));
        Self { what, queue }
    }

    /// Hands over `item` and waits until it is written.
    pub async fn write(&self, item: T) -> Result<(), GroupError> {
        self.write_among(item, false).await
    }

    /// As [`write`](Self::write); says whether the items of others are about to follow.
    pub async fn write_among(&self, item: T, others_follow: bool) -> Result<(), GroupError> {
        let (written, answer) = oneshot::channel();
        let closed = GroupError::Closed(self.what);
        self.queue.send(Waiting { item, others_follow, written }).await.map_err(|_| closed.clone())?;
        let store = |source| GroupError::Store { what: self.what, source };
        answer.await.map_err(|_| closed)?.map_err(store)
    }
}

async fn run<T>(
    (items_max, pace): (usize, Pace),
    mut writer: impl WriteGroup<T>,
    mut queue: mpsc::Receiver<Waiting<T>>,
) {
    let mut group = Vec::with_capacity(items_max);
    while queue.recv_many(&mut group, items_max).await > 0 {
        let until = Instant::now() + pace.linger;
        while group.len() < items_max && group.last().is_some_and(|last| last.others_follow) {
            let room = items_max - group.len();
            let more = timeout_at(until, queue.recv_many(&mut group, room)).await;
            // Too late, or nobody can follow any more.
            if more.unwrap_or_default() == 0 {
                break;
            }
        }
        let (items, callers): (Vec<_>, Vec<_>) =
            group.drain(..).map(|waiting| (waiting.item, waiting.written)).unzip();
        let size = items.len();
        let outcome = writer.write(items).await.map_err(Arc::new);
        for caller in callers {
            // A caller that is gone no longer wants to know.
            let _ = caller.send(outcome.clone());
        }
        if size >= pace.crowd_items {
            sleep(pace.pause).await;
        }
    }
}

impl<T> fmt::Debug for Group<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({})", self.what)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    type Groups = Arc<Mutex<Vec<Vec<u32>>>>;

    struct Recorder {
        groups: Groups,
        fail: bool,
    }

    impl WriteGroup<u32> for Recorder {
        async fn write(&mut self, items: Vec<u32>) -> Result<(), StoreError> {
            tokio::task::yield_now().await;
            self.groups.lock().unwrap().push(items);
            if self.fail { Err(StoreError::Limit("a test")) } else { Ok(()) }
        }
    }

    #[tokio::test]
    async fn callers_that_come_during_a_write_share_the_next_one() {
        let groups = Groups::default();
        let group = Group::start(
            "numbers",
            (4, Pace::AT_ONCE),
            Recorder { groups: Arc::clone(&groups), fail: false },
        );
        let outcomes = futures_util::future::join_all((0..6).map(|n| group.write(n))).await;
        assert!(outcomes.iter().all(Result::is_ok));
        let groups = groups.lock().unwrap();
        assert_eq!(groups.concat(), [0, 1, 2, 3, 4, 5]);
        assert!(groups.len() < 6 && groups.iter().all(|group| group.len() <= 4), "{groups:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_waits_a_moment_and_shares_a_write_and_nobody_waits_alone() {
        let groups = Groups::default();
        let pace = Pace { crowd_items: 3, pause: Duration::from_millis(2), linger: Duration::ZERO };
        let group = Group::start("numbers", (4, pace), Recorder { groups: Arc::clone(&groups), fail: false });
        let started = Instant::now();
        for n in 0..10 {
            group.write(n).await.unwrap();
        }
        assert_eq!((started.elapsed(), groups.lock().unwrap().len()), (Duration::ZERO, 10));

        let crowd = futures_util::future::join_all((10..13).map(|n| group.write(n)));
        let late = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            futures_util::future::join(group.write(13), async {
                tokio::time::sleep(Duration::from_micros(500)).await;
                group.write(14).await
            })
            .await
        };
        let (first, (second, third)) = futures_util::future::join(crowd, late).await;
        assert!(first.iter().chain([&second, &third]).all(Result::is_ok));
        let groups = groups.lock().unwrap();
        assert_eq!(groups[10..], [vec![10, 11, 12], vec![13, 14]]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_waits_for_those_who_are_about_to_follow_but_not_for_ever() {
        let groups = Groups::default();
        let pace = Pace { linger: Duration::from_millis(10), ..Pace::AT_ONCE };
        let group =
            &Group::start("numbers", (4, pace), Recorder { groups: Arc::clone(&groups), fail: false });
        let started = Instant::now();
        // Four items, the last of which nobody follows; then one that is followed in vain.
        let items = (0..4_u32).map(|n| async move {
            sleep(Duration::from_millis(2 * u64::from(n))).await;
            group.write_among(n, n < 3).await
        });
        assert!(futures_util::future::join_all(items).await.iter().all(Result::is_ok));
        assert_eq!(started.elapsed(), Duration::from_millis(6));
        group.write_among(4, true).await.unwrap();
        assert_eq!(started.elapsed(), Duration::from_millis(16));
        assert_eq!(*groups.lock().unwrap(), [vec![0, 1, 2, 3], vec![4]]);
    }

    #[tokio::test]
    async fn a_failed_write_fails_every_caller_of_its_group() {
        let group =
            Group::start("numbers", (4, Pace::AT_ONCE), Recorder { groups: Groups::default(), fail: true });
        let outcomes = futures_util::future::join_all((0..3).map(|n| group.write(n))).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(GroupError::Store { .. }))));
    }

    #[tokio::test]
    async fn a_caller_that_hangs_up_does_not_take_its_group_along() {
        let groups = Groups::default();
        let group = Group::start(
            "numbers",
            (4, Pace::AT_ONCE),
            Recorder { groups: Arc::clone(&groups), fail: false },
        );
        let (first, second) = (group.write(1), group.write(2));
        tokio::select! { biased; _ = first => panic!("too early"), () = tokio::task::yield_now() => {} }
        second.await.unwrap();
        assert_eq!(groups.lock().unwrap().concat(), [1, 2]);
    }
}
