//! Threads for work that keeps a core busy, with a bounded queue.
//!
//! On the server's own threads such work would hold up every other request, and without a bound a burst
//! would pile up. A full queue is refused at once, and a job whose caller has gone is dropped unstarted.
//! Under load a thread goes from one job to the next without anybody waking it.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

/// Why a job was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkError {
    /// As many jobs as allowed are waiting already.
    #[error("too much work of one kind is waiting")]
    Overloaded,
    /// The threads have ended: the process is shutting down.
    #[error("the threads for this work have stopped")]
    Stopped,
}

type Job = Box<dyn FnOnce() + Send>;

/// Threads that do one kind of work. They end when this is dropped.
pub struct Workers {
    jobs: SyncSender<Job>,
}

/// The lowest priority there is: beside threads of usual priority, such a one gets what they leave.
const NICE: i32 = 19;

impl Workers {
    /// Starts `threads` threads, at least one, that are called `name` and a number. `queue_jobs_max` jobs
    /// may wait.
    pub fn start(name: &str, threads: usize, queue_jobs_max: usize) -> Result<Self, WorkError> {
        Self::start_with(name, threads, queue_jobs_max, || ())
    }

    /// As [`start`](Self::start), for work that is to take only what other threads leave.
    pub fn start_at_low_priority(
        name: &str,
        threads: usize,
        queue_jobs_max: usize,
    ) -> Result<Self, WorkError> {
        // On Linux a priority belongs to a thread, whatever the call's name says (setpriority(2), notes). Where it
        // cannot be lowered, the work is done all the same.
        let lower = || {
            let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
        };
        Self::start_with(name, threads, queue_jobs_max, lower)
    }

    fn start_with(
        name: &str,
        threads: usize,
        queue_jobs_max: usize,
        begin: impl Fn() + Clone + Send + 'static,
    ) -> Result<Self, WorkError> {
        let (jobs, waiting) = sync_channel::<Job>(queue_jobs_max);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..threads.max(1) {
            let (waiting, begin) = (Arc::clone(&waiting), begin.clone());
            let run = move || {
                begin();
                work(&waiting);
            };
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(run)
                .map_err(|_| WorkError::Stopped)?;
        }
        Ok(Self { jobs })
    }

    /// Does `job` on one of the threads.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkError> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move || {
            if !reply.is_closed() {
                // A caller that left meanwhile does not mind that nobody hears the answer.
                let _ = reply.send(job());
            }
        });
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => WorkError::Overloaded,
            TrySendError::Disconnected(_) => WorkError::Stopped,
        })?;
        answer.await.map_err(|_| WorkError::Stopped)
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Workers")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// Keeps the only thread busy until the barrier that it gives is reached.
    fn busy(workers: &Workers) -> Arc<Barrier> {
        let (started, finish) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let (started_too, finish_too) = (Arc::clone(&started), Arc::clone(&finish));
        let job = Box::new(move || {
            started_too.wait();
            finish_too.wait();
        });
        workers.jobs.send(job).unwrap();
        started.wait();
        finish
    }

    #[tokio::test]
    async fn more_than_the_queue_holds_is_refused_at_once() {
        let workers = Workers::start("test", 1, 1).unwrap();
        let finish = busy(&workers);
        workers.jobs.try_send(Box::new(|| ())).unwrap();
        assert_eq!(workers.run(|| 1).await, Err(WorkError::Overloaded));
        finish.wait();
    }

    #[tokio::test]
    async fn work_of_low_priority_leaves_the_processor_to_others() {
        let nice = || rustix::process::getpriority_process(Some(rustix::thread::gettid())).unwrap();
        let own = nice();
        let workers = Workers::start_at_low_priority("test", 1, 1).unwrap();
        assert_eq!(workers.run(nice).await, Ok(NICE));
        assert_eq!(Workers::start("test", 1, 1).unwrap().run(nice).await, Ok(own));
    }

    #[tokio::test]
    async fn a_job_whose_caller_has_gone_is_not_done() {
        let workers = Workers::start("test", 1, 2).unwrap();
        let finish = busy(&workers);
        let done = Arc::new(AtomicBool::new(false));
        let done_too = Arc::clone(&done);
        let gone = workers.run(move || done_too.store(true, Ordering::SeqCst));
        tokio::select! { biased; _ = gone => panic!("too early"), () = std::future::ready(()) => {} }
        finish.wait();
        assert_eq!(workers.run(|| 2).await, Ok(2));
        assert!(!done.load(Ordering::SeqCst));
    }
}
