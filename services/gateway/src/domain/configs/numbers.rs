//! Numbers of configurations: taken from a counter of the name space in blocks, and never used twice.
//!
//! A block that a process does not use up is lost, so blocks begin small: whoever makes one configuration now and then
//! gets numbers without gaps, and whoever makes thousands asks the counter seldom.

use coffer_store::records::SealedCommit;

use super::space::OpenSpace;
use super::{Configs, ConfigsError};
use crate::repo::configs::{Committed, keys};

const BLOCK_MAX: u64 = 64;

/// Numbers that this process may give out.
#[derive(Debug)]
pub(super) struct Numbers {
    next: u64,
    until: u64,
    block: u64,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { next: 0, until: 0, block: 1 }
    }
}

impl Configs {
    /// A number for a new configuration.
    pub(super) async fn number(&self, space: &OpenSpace) -> Result<u64, ConfigsError> {
        let mut numbers = space.numbers.lock().await;
        if numbers.next == numbers.until {
            let block = numbers.block;
            let commit = SealedCommit::new().add(&keys::numbers(), i64::try_from(block).unwrap_or(1), None);
            let Committed::At(_, counters) = self.0.repo.commit(&space.keys, commit).await? else {
                return Err(ConfigsError::Contended);
            };
            let last = counters.first().and_then(|last| u64::try_from(*last).ok());
            let last =
                last.expect("a commit that adds to a counter gives its value, and only blocks were added");
            *numbers = Numbers { next: last - block + 1, until: last + 1, block: (block * 2).min(BLOCK_MAX) };
        }
        numbers.next += 1;
        Ok(numbers.next - 1)
    }
}
