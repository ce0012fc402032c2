//! Room for large values in memory, and threads to open them on.
//!
//! A value that is read is in memory until the last of the answer is sent, and that may take as long as its reader likes. So
//! whoever reads one holds a share of a bound from before it is fetched; how much there is, and how it is shared out among
//! users, is somebody else's to say ([`Memory`]). What takes long with it is done away from the threads that serve sockets.

use std::fmt;
use std::sync::Arc;
use std::thread::available_parallelism;

use async_trait::async_trait;
use coffer_core::UserId;
use tokio::sync::Semaphore;

use super::KvError;

/// What is up to this size, in bytes, is neither counted nor opened elsewhere: requests are few enough for that.
pub const LARGE_BYTES: u64 = 64 * 1024;
/// How often a value is in memory while it is fetched and opened, at most: as it came, put together, and in the clear.
const COPIES: u64 = 3;

/// Shares out memory.
#[async_trait]
pub trait Memory: Send + Sync + fmt::Debug {
    /// Room for so many bytes of what `user` reads, or nothing if there is none within a reasonable time.
    async fn hold(&self, user: UserId, bytes: usize) -> Option<Box<dyn Share>>;
}

/// Room for some bytes, until it is dropped.
pub trait Share: Send + Sync + fmt::Debug {
    /// Gives back what is more than so many bytes need.
    fn shrink(&mut self, bytes: usize);

    /// Makes it room for so many bytes; whether that is so.
    fn ensure(&mut self, bytes: usize) -> bool;
}

/// There is room for everything.
#[derive(Debug)]
pub(super) struct Unbounded;

#[async_trait]
impl Memory for Unbounded {
    async fn hold(&self, _: UserId, _: usize) -> Option<Box<dyn Share>> {
        Some(Box::new(Self))
    }
}

impl Share for Unbounded {
    fn shrink(&mut self, _: usize) {}

    fn ensure(&mut self, _: usize) -> bool {
        true
    }
}

/// The room that a value takes; none that is counted if it is small. To be kept as long as anything that was made of it.
#[derive(Debug, Default)]
pub struct Held(Option<Box<dyn Share>>);

impl Held {
    /// Whether it is counted.
    pub fn is_counted(&self) -> bool {
        self.0.is_some()
    }

    /// Gives back what is more than so many bytes need.
    pub fn shrink(&mut self, bytes: usize) {
        self.0.iter_mut().for_each(|share| share.shrink(bytes));
    }

    /// Makes it room for so many bytes.
    pub fn ensure(&mut self, bytes: usize) -> Result<(), KvError> {
        let has = self.0.as_mut().is_none_or(|share| share.ensure(bytes));
        has.then_some(()).ok_or(KvError::NoMemory)
    }
}

/// Holds room for a value of `bytes`.
pub(super) async fn hold(memory: &dyn Memory, user: UserId, bytes: u64) -> Result<Held, KvError> {
    if bytes <= LARGE_BYTES {
        return Ok(Held(None));
    }
    let copies = usize::try_from(bytes.saturating_mul(COPIES)).unwrap_or(usize::MAX);
    memory.hold(user, copies).await.map(|share| Held(Some(share))).ok_or(KvError::NoMemory)
}

/// Threads for what takes long, one for each core.
#[derive(Clone, Debug)]
pub struct Workbench(Arc<Semaphore>);

impl Workbench {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(available_parallelism().map_or(1, usize::from))))
    }

    /// Does work on so many bytes: here if they are few, else on another thread, in turn.
    pub async fn run<T: Send + 'static>(
        &self,
        bytes: u64,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, KvError> {
        if bytes <= LARGE_BYTES {
            return Ok(work());
        }
        // It is never closed.
        let turn = Arc::clone(&self.0).acquire_owned().await.map_err(|_| KvError::NoMemory)?;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(KvError::Worker)
    }
}

#[cfg(test)]
mod tests {
    use std::thread::current;

    use super::*;

    #[tokio::test]
    async fn what_is_large_is_done_on_another_thread_and_what_is_small_is_not() {
        let (bench, here) = (Workbench::new(), current().id());
        assert_eq!(bench.run(LARGE_BYTES, || current().id()).await.unwrap(), here);
        assert_ne!(bench.run(LARGE_BYTES + 1, || current().id()).await.unwrap(), here);
        let failed: Result<(), _> = bench.run(LARGE_BYTES + 1, || panic!("planted")).await;
        assert!(matches!(failed, Err(KvError::Worker(_))));
    }
}
