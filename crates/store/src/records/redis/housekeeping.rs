//! Clean-up that rides along with use, so that neither the directory nor an index grows without bound.
//!
//! Redis lets expired records go by itself, but not their entries in a partition's index, nor an emptied
//! partition's entry in the directory. A sweep removes both. For stores that are seldom swept, each new
//! partition looks at two others of its shard, and every few commits of expiring records look at some
//! entries of their index, the more seldom the less is found there ([`Pace`]): so what is stale stays below
//! about half. All of it is best effort, in the background, a little at a time.

use std::sync::Arc;

use redis::{cmd, pipe};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::super::{Commit, Operation, Partition, Sort, Table};
use super::directory::{Directory, Entry};
use super::keys::PartitionKeys;
use super::pace::Pace;
use crate::redis_link::{LinkError, Links, Script};

/// Chores under way at once; more are dropped.
const CHORES_MAX: usize = 4;
/// Directory entries looked at for each new partition.
const ENTRIES_SAMPLED: usize = 2;
/// So many entries of an index are looked at, at once.
const KEYS_SAMPLED: usize = 64;
/// Index entries pruned by one call.
const PRUNED_MAX: usize = 256;

#[derive(Clone)]
pub(super) struct Housekeeping(Arc<Inner>);

struct Inner {
    prefix: String,
    links: Links,
    directory: Arc<Directory>,
    prune: Script,
    runtime: Handle,
    chores: Arc<Semaphore>,
    pace: Pace,
}

impl Housekeeping {
    pub(super) fn new(prefix: String, links: Links, directory: Arc<Directory>) -> Self {
        Self(Arc::new(Inner {
            prefix,
            links,
            directory,
            prune: Script::new(include_str!("prune.lua")),
            runtime: Handle::current(),
            chores: Arc::new(Semaphore::new(CHORES_MAX)),
            pace: Pace::default(),
        }))
    }

    /// After a partition was registered: looks whether others may go.
    pub(super) fn after_registration(&self, partition: &Partition) {
        let (this, partition) = (Arc::clone(&self.0), partition.clone());
        self.spawn(async move {
            for entry in this.directory.sample(&partition, ENTRIES_SAMPLED).await? {
                this.directory.unregister(partition.table(), &entry).await?;
            }
            Ok(())
        });
    }

    /// After commits: now and then, looks for stale entries in the partition's index.
    pub(super) fn after_commits<'a>(&self, partition: &Partition, commits: impl Iterator<Item = &'a Commit>) {
        let expires = |operation: &Operation| match operation {
            Operation::Put { expires_at, .. }
            | Operation::Add { expires_at, .. }
            | Operation::Retire { expires_at, .. } => expires_at.is_some(),
            // The script itself takes expired entries out of a log.
            Operation::Append { .. } | Operation::Delete { .. } => false,
        };
        let expiring = commits.filter(|commit| commit.operations.iter().any(expires)).count();
        if expiring == 0 || !self.0.pace.is_time(partition, expiring) {
            return;
        }
        let (this, partition) = (Arc::clone(&self.0), partition.clone());
        self.spawn(async move {
            let keys = PartitionKeys::new(&this.prefix, &partition);
            let sampled: Vec<Vec<u8>> =
                this.links.query(cmd("ZRANDMEMBER").arg(keys.index()).arg(KEYS_SAMPLED)).await?;
            if sampled.is_empty() {
                return Ok(());
            }
            let sampled: Vec<_> = sampled.into_iter().map(|sort| Sort::from_bytes(sort.into())).collect();
            let mut exist = pipe();
            for sort in &sampled {
                exist.cmd("EXISTS").arg(keys.record(sort));
            }
            let exist: Vec<bool> = this.links.query_all(&exist).await?;
            let stale = sampled.into_iter().zip(exist).filter(|(_, exists)| !exists).map(|(sort, _)| sort);
            let stale: Vec<_> = stale.collect();
            this.pace.found(&partition, stale.len());
            this.prune(&partition, stale).await
        });
    }

    /// Takes these entries out of a partition's index, unless their records have come back.
    pub(super) fn prune(&self, partition: &Partition, stale: Vec<Sort>) {
        if !stale.is_empty() {
            let (this, partition) = (Arc::clone(&self.0), partition.clone());
            self.spawn(async move { this.prune(&partition, stale).await });
        }
    }

    /// Takes an entry out of the directory if its partition is empty.
    pub(super) async fn unregister(&self, table: Table, entry: &Entry) {
        if let Err(err) = self.0.directory.unregister(table, entry).await {
            tracing::debug!(error = ?err, "an empty partition stays in the directory");
        }
    }

    fn spawn(&self, chore: impl Future<Output = Result<(), LinkError>> + Send + 'static) {
        let Ok(permit) = Arc::clone(&self.0.chores).try_acquire_owned() else { return };
        self.0.runtime.spawn(async move {
            if let Err(err) = chore.await {
                tracing::debug!(error = ?err, "a clean-up was not done");
            }
            drop(permit);
        });
    }
}

impl Inner {
    async fn prune(&self, partition: &Partition, stale: Vec<Sort>) -> Result<(), LinkError> {
        let keys = PartitionKeys::new(&self.prefix, partition);
        for chunk in stale.chunks(PRUNED_MAX) {
            let mut call = self.prune.call(2 + chunk.len());
            call.arg(keys.index()).arg(keys.sequence());
            for sort in chunk {
                call.arg(keys.record(sort));
            }
            call.arg(keys.record_prefix_bytes());
            self.links.run(&self.prune, &call).await?;
        }
        Ok(())
    }
}
