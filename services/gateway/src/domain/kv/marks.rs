//! Marks that an owner has something to do at some moment: one round trip before the commit that leaves it, and
//! none if an earlier mark is known, because whoever follows a mark sets the next one.

use std::sync::Arc;
use std::time::Duration;

use coffer_core::{Clock, Timestamp, UserId};
use coffer_store::records::StoreError;
use moka::sync::Cache;

use crate::repo::kv::DueRepo;

/// A mark is followed no sooner than at its moment. One that is this near may be, by another process with another
/// clock, before our commit has happened.
const SLACK: Duration = Duration::from_secs(5);
/// Owners whose next mark is known, at most.
const OWNERS_MAX: u64 = 100_000;

/// The marks that this process has set.
#[derive(Debug)]
pub(super) struct Marks {
    repo: DueRepo,
    clock: Arc<dyn Clock>,
    set: Cache<UserId, Timestamp>,
}

impl Marks {
    pub(super) fn new(repo: DueRepo, clock: Arc<dyn Clock>) -> Self {
        Self { repo, clock, set: Cache::new(OWNERS_MAX) }
    }

    /// Sees to it that there is a mark at `at` or before. To be called before the commit and, with the same moment,
    /// after it.
    pub(super) async fn ensure(&self, owner: UserId, at: Timestamp) -> Result<(), StoreError> {
        let trusted = self.set.get(&owner).filter(|set| *set > self.clock.now().plus(SLACK) && *set <= at);
        if trusted.is_some() {
            return Ok(());
        }
        self.repo.mark(owner, at).await?;
        self.set.insert(owner, at);
        Ok(())
    }

    pub(super) fn repo(&self) -> &DueRepo {
        &self.repo
    }
}
