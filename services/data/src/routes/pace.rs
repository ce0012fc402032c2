//! How slowly a client may read a large answer.
//!
//! What an answer holds is only given back when its reader has taken it, so a reader who takes his time is
//! cut off. The average counts from the start: what the network's buffers swallow at once is the
//! reader's credit, so nobody who keeps to the rate is ever cut off.

use std::time::Duration;

use tokio::time::Instant;

/// What is asked of a reader.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PaceLimits {
    /// How long a reader may take nothing; also how long the average is not looked at.
    pub(crate) grace: Duration,
    /// Slowest average rate after the grace.
    pub(crate) bytes_per_s_min: u32,
}

/// How one reader has kept up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    limits: PaceLimits,
    started: Instant,
    last_taken: Instant,
    taken_bytes: u64,
}

impl Pace {
    pub(super) fn start(limits: PaceLimits) -> Self {
        let now = Instant::now();
        Self { limits, started: now, last_taken: now, taken_bytes: 0 }
    }

    /// The reader has made room for so many bytes more.
    pub(super) fn took(&mut self, bytes: usize) {
        self.taken_bytes += bytes as u64;
        self.last_taken = Instant::now();
    }

    /// How often to look.
    pub(super) fn look_every(&self) -> Duration {
        (self.limits.grace / 4).clamp(Duration::from_millis(100), Duration::from_secs(5))
    }

    pub(super) fn is_too_slow(&self) -> bool {
        let counted = self.started.elapsed().saturating_sub(self.limits.grace);
        let expected = counted.as_millis() * u128::from(self.limits.bytes_per_s_min) / 1000;
        self.last_taken.elapsed() >= self.limits.grace || u128::from(self.taken_bytes) < expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PaceLimits = PaceLimits { grace: Duration::from_secs(30), bytes_per_s_min: 1000 };

    #[tokio::test(start_paused = true)]
    async fn whoever_keeps_to_the_rate_is_never_too_slow_and_whoever_does_not_is_in_the_end() {
        let (mut steady, mut slow) = (Pace::start(LIMITS), Pace::start(LIMITS));
        let mut slow_for = 0;
        for _ in 0..300 {
            tokio::time::advance(Duration::from_secs(1)).await;
            steady.took(1000);
            slow.took(500);
            assert!(!steady.is_too_slow());
            slow_for += u32::from(!slow.is_too_slow());
        }
        assert!((59..=61).contains(&slow_for), "{slow_for}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_nothing_is_too_slow_however_much_he_took_before() {
        let mut pace = Pace::start(LIMITS);
        pace.took(1 << 30);
        tokio::time::advance(Duration::from_millis(29_999)).await;
        assert!(!pace.is_too_slow());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(pace.is_too_slow());
    }
}
