//! How often somebody may do something in a minute: bring new user keys from a network address, ask whose an address is.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_mins(1);
/// Visitors that are remembered, at most. Who can be more of them is held back by something else as well.
const VISITORS_MAX: u64 = 10_000;

/// What one visitor did lately.
#[derive(Debug)]
struct Visitor {
    since: Instant,
    count: AtomicU32,
}

/// Counts what visitors do.
#[derive(Debug)]
pub struct Gate<K: Hash + Eq + Send + Sync + 'static> {
    per_minute_max: u32,
    visitors: Cache<K, Arc<Visitor>>,
}

impl<K: Hash + Eq + Send + Sync + 'static> Gate<K> {
    /// Lets each visitor through so often a minute.
    pub fn new(per_minute_max: u32) -> Self {
        let visitors = Cache::builder().max_capacity(VISITORS_MAX).time_to_live(MINUTE).build();
        Self { per_minute_max, visitors }
    }

    /// Lets one more through, or says in how many seconds to come back.
    pub fn enter(&self, visitor: K) -> Result<(), u32> {
        let fresh = || Arc::new(Visitor { since: Instant::now(), count: AtomicU32::new(0) });
        let visitor = self.visitors.get_with(visitor, fresh);
        if visitor.count.fetch_add(1, Ordering::Relaxed) >= self.per_minute_max {
            let left = MINUTE.saturating_sub(visitor.since.elapsed());
            return Err(u32::try_from(left.as_secs()).unwrap_or(0) + 1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: char = 'a';
    const BOB: char = 'b';

    #[tokio::test]
    async fn a_visitor_comes_so_often_a_minute_and_another_one_as_often() {
        let gate = Gate::new(2);
        for _ in 0..2 {
            gate.enter(ANN).unwrap();
        }
        let wait_s = gate.enter(ANN).unwrap_err();
        assert!((1..=60).contains(&wait_s), "{wait_s}");
        assert!(gate.enter(BOB).is_ok());
    }
}
