//! Whose space an address names.
//!
//! Nobody is told whether an address has an account, neither by the answer nor by the time it takes: an address of nobody
//! leads to the space of nobody, in which everything is looked for and nothing is shared, and is remembered as long.

use std::time::Duration;

use coffer_core::{EmailAddress, Random, SystemRandom, UserId};
use coffer_server::Failure;
use moka::sync::Cache;

use crate::domain::gate::Gate;
use crate::domain::kms::AskError;

/// An address leads to the same user for this long. It gives no access, so it does not matter if it led to another
/// one a moment ago.
const BELIEVED: Duration = Duration::from_secs(30);
/// Addresses in memory, at most.
const ADDRESSES_MAX: u64 = 10_000;
/// Of one caller, how many addresses a minute the KMS is asked about.
const ASKED_PER_MINUTE_MAX: u32 = 120;

/// The users behind addresses that were asked for lately.
#[derive(Debug)]
pub(crate) struct Owners {
    known: Cache<String, UserId>,
    gate: Gate<UserId>,
}

impl Default for Owners {
    fn default() -> Self {
        Self {
            known: Cache::builder().max_capacity(ADDRESSES_MAX).time_to_live(BELIEVED).build(),
            gate: Gate::new(ASKED_PER_MINUTE_MAX),
        }
    }
}

impl Owners {
    /// Who has this address, or a user whom there is not. `ask` is only awaited where that is not known.
    pub(super) async fn find(
        &self,
        caller: UserId,
        address: &EmailAddress,
        ask: impl Future<Output = Result<Option<UserId>, AskError>>,
    ) -> Result<UserId, Failure> {
        if let Some(owner) = self.known.get(address.as_str()) {
            return Ok(owner);
        }
        self.gate.enter(caller).map_err(Failure::rate_limited)?;
        let owner = ask.await?.unwrap_or_else(nobody);
        self.known.insert(address.as_str().to_owned(), owner);
        Ok(owner)
    }
}

/// Somebody whom there is not.
fn nobody() -> UserId {
    let mut bytes = [0; 16];
    SystemRandom.fill(&mut bytes);
    UserId::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use coffer_api::ErrorCode;

    use super::*;

    const CALLER: UserId = UserId::from_bytes([1; 16]);
    const OTHER: UserId = UserId::from_bytes([2; 16]);
    const KNOWN: UserId = UserId::from_bytes([3; 16]);

    struct Bed {
        owners: Owners,
        asked: AtomicU32,
    }

    impl Bed {
        fn new() -> Self {
            Self { owners: Owners::default(), asked: AtomicU32::new(0) }
        }

        async fn find(&self, caller: UserId, address: &str) -> Result<UserId, Failure> {
            let ask = async {
                self.asked.fetch_add(1, Ordering::Relaxed);
                Ok(address.starts_with("known").then_some(KNOWN))
            };
            self.owners.find(caller, &address.parse().unwrap(), ask).await
        }
    }

    #[tokio::test]
    async fn the_kms_is_asked_once_about_an_address_of_somebody_and_once_about_one_of_nobody() {
        for (address, is_known) in [("known@example.com", true), ("nobody@example.com", false)] {
            let bed = Bed::new();
            let found = bed.find(CALLER, address).await.unwrap();
            assert_eq!(found == KNOWN, is_known);
            for caller in [CALLER, CALLER, OTHER] {
                assert_eq!(bed.find(caller, address).await.unwrap(), found);
            }
            assert_eq!(bed.asked.load(Ordering::Relaxed), 1, "{address}");
        }
    }

    #[tokio::test]
    async fn a_caller_asks_about_so_many_addresses_a_minute_and_keeps_nobody_else_from_it() {
        let bed = Bed::new();
        for number in 0..ASKED_PER_MINUTE_MAX {
            bed.find(CALLER, &format!("nobody-{number}@example.com")).await.unwrap();
        }
        let refused = bed.find(CALLER, "known@example.com").await.unwrap_err();
        assert!(refused.code == ErrorCode::RateLimited && refused.retry_after_s.is_some());
        bed.find(CALLER, "nobody-0@example.com").await.unwrap();
        assert_eq!(bed.find(OTHER, "known@example.com").await.unwrap(), KNOWN);
        assert_eq!(bed.find(CALLER, "known@example.com").await.unwrap(), KNOWN);
    }
}
