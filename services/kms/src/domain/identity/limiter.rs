//! Limits: how often something may be tried, counted in the store over a sliding window.
//!
//! The window slides by weighing the count of the window before with the part of it that is still within
//! reach; that needs two counters where exact sliding would need a record for each try. A refused try is
//! not counted: whoever waits as long as told gets through, however impatient he was before.

use std::sync::Arc;
use std::time::Duration;

use coffer_core::{Clock, Timestamp};
use coffer_crypto::index::IndexKey;

use super::error::IdentityError;
use crate::repo::limit::{Counts, LimitRepo};

/// How often a count is tried while others count too.
const TRIES_MAX: usize = 8;

/// A limit on something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// What is limited; keeps counts of different rules apart.
    pub(super) name: &'static str,
    /// How often, at most, within a window.
    pub(super) max: u32,
    /// The window.
    pub(super) window: Duration,
}

/// A try that was counted.
#[derive(Clone, Copy, Debug)]
#[must_use = "a try that succeeded may have to be taken back"]
pub(super) struct Counted {
    subject: [u8; 32],
    moment: Moment,
}

/// Counts tries and refuses those over a limit.
#[derive(Debug)]
pub(super) struct Limiter {
    pub(super) repo: LimitRepo,
    pub(super) index: Arc<IndexKey>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Limiter {
    /// Counts one try of what `rule` limits for `subject` (parts of fixed length but for the last), unless there were too many.
    pub(super) async fn count(&self, rule: Rule, subject: &[&[u8]]) -> Result<Counted, IdentityError> {
        let mut data = rule.name.as_bytes().to_vec();
        data.push(0);
        for part in subject {
            data.extend_from_slice(part);
        }
        let subject = self.index.blind("limit", &data);
        for _ in 0..TRIES_MAX {
            let moment = Moment::of(self.clock.now(), rule.window);
            let counts = self.repo.counts(&subject, moment.window).await?;
            let allowed = i64::from(rule.max) - moment.weight(counts.before);
            if counts.present >= allowed {
                let retry_after_s = moment.retry_after_s(counts, i64::from(rule.max));
                return Err(IdentityError::RateLimited { retry_after_s });
            }
            if self.repo.count(&subject, (moment.window, allowed), moment.forget_at()).await? {
                return Ok(Counted { subject, moment });
            }
        }
        Err(IdentityError::RateLimited { retry_after_s: 1 })
    }

    /// Takes a try back that turned out to be no guess: whoever knows the password takes no tries from
    /// others, and how many are left tells nobody when an account was last used.
    pub(super) async fn take_back(&self, counted: Counted) -> Result<(), IdentityError> {
        let Counted { subject, moment } = counted;
        Ok(self.repo.uncount(&subject, moment.window, moment.forget_at()).await?)
    }
}

/// Where in its window a moment is.
#[derive(Clone, Copy, Debug)]
struct Moment {
    window: i64,
    elapsed_ms: i64,
    window_ms: i64,
}

impl Moment {
    fn of(now: Timestamp, window: Duration) -> Self {
        let window_ms = i64::try_from(window.as_millis()).unwrap_or(i64::MAX).max(1);
        let elapsed_ms = now.as_ms().rem_euclid(window_ms);
        Self { window: now.as_ms().div_euclid(window_ms), elapsed_ms, window_ms }
    }

    /// The part of the count of the window before that is still within reach, rounded up.
    fn weight(self, before: i64) -> i64 {
        let weighted = i128::from(before) * i128::from(self.window_ms - self.elapsed_ms);
        let window = i128::from(self.window_ms);
        i64::try_from((weighted + window - 1) / window).unwrap_or(i64::MAX)
    }

    /// A count matters for as long as its window and the next last.
    fn forget_at(self) -> Timestamp {
        Timestamp::from_ms(self.window.saturating_add(2).saturating_mul(self.window_ms))
    }

    /// Whole seconds until one more would be allowed, if nobody else tries meanwhile.
    fn retry_after_s(self, counts: Counts, max: i64) -> u32 {
        let until_next = self.window_ms - self.elapsed_ms;
        // With `room` tries left beside it, an old count must have shrunk to that much.
        let shrunk = |count: i64, room: i64| match count {
            0 => 0,
            count => {
                self.window_ms - (room.max(0).saturating_mul(self.window_ms) / count).min(self.window_ms)
            }
        };
        let wait_ms = if counts.present < max {
            (shrunk(counts.before, max - 1 - counts.present) - self.elapsed_ms).clamp(0, until_next)
        } else {
            until_next + shrunk(counts.present, max - 1)
        };
        u32::try_from(wait_ms / 1000 + 1).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use coffer_core::ManualClock;
    use coffer_crypto::root::RootKey;

    use super::*;
    use crate::domain::test_store::TestStore;

    const RULE: Rule = Rule { name: "test", max: 3, window: Duration::from_mins(1) };

    fn limiter() -> (Arc<ManualClock>, Limiter) {
        let store = TestStore::new();
        let index = Arc::new(RootKey::from_bytes(&[1; 32]).unwrap().derive_index_key());
        let repo = LimitRepo::new(store.sealed);
        (store.clock.clone(), Limiter { repo, index, clock: store.clock })
    }

    async fn retry_after(limiter: &Limiter, subject: &[u8]) -> Option<u32> {
        match limiter.count(RULE, &[subject]).await {
            Ok(_) => None,
            Err(IdentityError::RateLimited { retry_after_s }) => Some(retry_after_s),
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test]
    async fn more_than_the_limit_is_refused_and_others_are_not() {
        let (_, limiter) = limiter();
        for _ in 0..3 {
            assert_eq!(retry_after(&limiter, b"a").await, None);
        }
        assert!(retry_after(&limiter, b"a").await.is_some());
        assert_eq!(retry_after(&limiter, b"b").await, None);
    }

    #[tokio::test]
    async fn whoever_waits_as_long_as_told_gets_through() {
        let (clock, limiter) = limiter();
        for _ in 0..20 {
            if let Some(seconds) = retry_after(&limiter, b"a").await {
                clock.advance(Duration::from_secs(seconds.into()));
                assert_eq!(retry_after(&limiter, b"a").await, None);
            }
        }
    }

    #[tokio::test]
    async fn the_edge_of_a_window_does_not_double_the_limit() {
        let (clock, limiter) = limiter();
        let to_edge = 60_000 - clock.now().as_ms().rem_euclid(60_000);
        clock.advance(Duration::from_millis(u64::try_from(to_edge).unwrap() - 1));
        for _ in 0..3 {
            assert_eq!(retry_after(&limiter, b"a").await, None);
        }
        clock.advance(Duration::from_millis(2));
        assert!(retry_after(&limiter, b"a").await.is_some());
        clock.advance(Duration::from_mins(2));
        assert_eq!(retry_after(&limiter, b"a").await, None);
    }

    #[tokio::test]
    async fn a_try_that_is_taken_back_does_not_count() {
        let (_, limiter) = limiter();
        for _ in 0..10 {
            let counted = limiter.count(RULE, &[b"a"]).await.unwrap();
            limiter.take_back(counted).await.unwrap();
        }
        assert_eq!(retry_after(&limiter, b"a").await, None);
    }

    #[tokio::test]
    async fn tries_at_the_same_time_are_all_counted() {
        let (_, limiter) = limiter();
        let tries = (0..9).map(|_| limiter.count(RULE, &[b"a"]));
        let through = futures_util::future::join_all(tries).await.iter().filter(|try_| try_.is_ok()).count();
        assert_eq!(through, 3);
    }
}
