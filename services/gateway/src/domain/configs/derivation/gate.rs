//! How many new user keys one network address may bring in a minute. How many of them wait: `turns`.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_mins(1);
/// Addresses that are remembered, at most. Who has more of them is held back by the turns alone.
const ADDRESSES_MAX: u64 = 10_000;

/// What one address did lately.
#[derive(Debug)]
struct Visitor {
    since: Instant,
    count: AtomicU32,
}

/// Counts derivations by address.
#[derive(Debug)]
pub(super) struct Gate {
    per_minute_max: u32,
    visitors: Cache<IpAddr, Arc<Visitor>>,
}

impl Gate {
    /// Lets one address have so many derivations a minute.
    pub(super) fn new(per_minute_max: u32) -> Self {
        let visitors = Cache::builder().max_capacity(ADDRESSES_MAX).time_to_live(MINUTE).build();
        Self { per_minute_max, visitors }
    }

    /// Lets one more through, or says in how many seconds to come back.
    pub(super) fn enter(&self, address: IpAddr) -> Result<(), u32> {
        let fresh = || Arc::new(Visitor { since: Instant::now(), count: AtomicU32::new(0) });
        let visitor = self.visitors.get_with(address, fresh);
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

    const ANN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const BOB: IpAddr = IpAddr::V4(std::net::Ipv4Addr::BROADCAST);

    #[tokio::test]
    async fn an_address_has_so_many_a_minute_and_another_address_has_its_own() {
        let gate = Gate::new(2);
        for _ in 0..2 {
            gate.enter(ANN).unwrap();
        }
        let wait_s = gate.enter(ANN).unwrap_err();
        assert!((1..=60).contains(&wait_s), "{wait_s}");
        assert!(gate.enter(BOB).is_ok());
    }
}
