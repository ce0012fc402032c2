//! Bounded waits.

use std::time::Duration;

use tokio::time::{Instant, sleep};

const POLL: Duration = Duration::from_millis(20);

/// Polls until `probe` gives something, at most for `limit`.
///
/// # Panics
/// When the time is over: the panic says what was waited for.
pub async fn until_some<T, F>(what: &str, limit: Duration, mut probe: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} in vain: {what}");
        sleep(POLL).await;
    }
}

/// Polls until `probe` is true, at most for `limit`.
///
/// # Panics
/// When the time is over.
pub async fn until<F>(what: &str, limit: Duration, mut probe: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    until_some(what, limit, || {
        let holds = probe();
        async move { holds.await.then_some(()) }
    })
    .await;
}
