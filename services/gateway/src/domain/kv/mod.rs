//! The key-value store: values with history, trash, expiry, sharing and a log of changes.
//!
//! [`Kv`] is what routes call; each of its methods first checks that the caller may. What a change does to history,
//! trash and totals is decided in one place (`plan`), and commits at once. A value is read with one round trip and
//! stored with one commit: what a store needs to know of the value it replaces is remembered (`known`), and the
//! commit is guarded by the revision, so what is remembered wrongly costs a second try and never a value.
//!
//! Not here: who is logged in, figures of use, HTTP. The road not taken: values in a blob store. A value has at most
//! 16 parts, so they commit with the entry that names them, and nothing is ever left over by a crash.

mod access;
mod batch;
mod changes;
mod collector;
mod copy;
mod delete;
mod diff;
mod error;
mod grants;
mod history;
mod key;
mod known;
mod list;
mod marks;
mod memory;
mod model;
mod names;
mod plan;
mod position;
mod read;
mod settings;
mod shared;
mod sharing;
mod trash;
mod value;
mod watch;
mod write;

#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::sync::Arc;

use coffer_core::{Clock, Random, Timestamp, UserId};
use coffer_store::records::{Sealed, StoreError};

pub use batch::{BatchAnswer, BatchOp};
pub use changes::{ChangesPage, Event};
pub use copy::Route;
pub use diff::{DIFFERENCES_MAX, Difference, Digest, Edit, differences};
pub use error::KvError;
pub use grants::GRANTS_MAX;
pub use history::Compared;
pub use key::{KEY_BYTES_MAX, Key, KeyError};
pub use list::{ListRequest, Listed, Listing};
pub use memory::{Held, LARGE_BYTES, Memory, Share, Workbench};
pub use model::{Caller, Condition, Deleted, Item, Meta, PutRequest, Space};
pub use names::Names;
pub use position::Position;
pub use settings::{KvSettings, KvSettingsError, VALUE_BYTES_MAX};
pub use shared::{SharedPage, SharedRequest};
pub use sharing::{Grant, GrantOrder, Grantee, Scope, SharedKeys};
pub use trash::{TrashPage, Trashed};
pub use value::{Kind, PlainValue};
pub use watch::Watcher;

use access::AccessCache;
use known::{KnownEntries, Turns};
use marks::Marks;
use plan::Plan;

use crate::repo::kv::{DueRepo, KvRepo, Past, SharedRepo};

/// Operations in a batch, at most.
pub const OPS_MAX: usize = 100;

/// How many keys an owner has, as far as it is known without asking the storage.
pub trait KeyCount: Send + Sync + fmt::Debug {
    /// The number, if it is known.
    fn keys(&self, owner: UserId) -> Option<u64>;

    /// Asks for it to be counted anew soon: another process may have made room since.
    fn look_again(&self, owner: UserId);
}

/// Nobody counts: there is no limit on keys.
#[derive(Debug)]
struct Uncounted;

impl KeyCount for Uncounted {
    fn keys(&self, _: UserId) -> Option<u64> {
        None
    }

    fn look_again(&self, _: UserId) {}
}

/// The key-value store of all owners. Cheap to clone.
#[derive(Clone)]
pub struct Kv(Arc<Inner>);

struct Inner {
    repo: KvRepo,
    shared: SharedRepo,
    marks: Marks,
    settings: KvSettings,
    known: KnownEntries,
    turns: Turns,
    access: AccessCache,
    counts: Arc<dyn KeyCount>,
    memory: Arc<dyn Memory>,
    bench: Workbench,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Kv {
    /// The store that lies in `records`.
    pub fn new(
        records: &Sealed,
        settings: KvSettings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let bounds = (Arc::new(Uncounted) as Arc<_>, Arc::new(memory::Unbounded) as Arc<_>);
        Self::within(records, settings, (clock, random), bounds)
    }

    /// As [`new`](Self::new), with a limit on the keys of an owner by `counts`, and one on large values in `memory`.
    pub fn within(
        records: &Sealed,
        settings: KvSettings,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
        (counts, memory): (Arc<dyn KeyCount>, Arc<dyn Memory>),
    ) -> Self {
        Self(Arc::new(Inner {
            repo: KvRepo::new(records.clone()),
            shared: SharedRepo::new(records.clone()),
            marks: Marks::new(DueRepo::new(records.clone()), Arc::clone(&clock)),
            settings,
            known: KnownEntries::new(),
            turns: Turns::new(),
            access: AccessCache::new(),
            counts,
            memory,
            bench: Workbench::new(),
            clock,
            random,
        }))
    }

    /// The records beneath, for what counts changes.
    pub fn repo(&self) -> &KvRepo {
        &self.0.repo
    }

    /// Where work on large values is done.
    pub fn bench(&self) -> &Workbench {
        &self.0.bench
    }

    /// Room for a value of so many bytes, and for what is made of it.
    pub async fn hold(&self, user: UserId, bytes: u64) -> Result<Held, KvError> {
        memory::hold(&*self.0.memory, user, bytes).await
    }

    /// Whether a value may be stored at all.
    fn admit(&self, value: &PlainValue) -> Result<(), KvError> {
        let bytes_max = self.0.settings.value_bytes_max;
        if value.as_bytes().len() > bytes_max { Err(KvError::ValueTooLarge { bytes_max }) } else { Ok(()) }
    }

    /// Whether there is room for so many more keys in `space`. What adds none needs no room.
    fn ensure_room(&self, space: Space, more: u64) -> Result<(), KvError> {
        let (counts, keys_max) = (&self.0.counts, self.0.settings.keys_per_owner_max);
        if more == 0 || counts.keys(space.owner).is_none_or(|keys| keys.saturating_add(more) <= keys_max) {
            return Ok(());
        }
        counts.look_again(space.owner);
        Err(KvError::TooManyKeys { keys_max })
    }

    fn check_expiry(&self, expires_at: Option<Timestamp>) -> Result<(), KvError> {
        match expires_at {
            Some(at) if at <= self.0.clock.now() => Err(KvError::ExpiryPassed),
            _ => Ok(()),
        }
    }

    /// Removes versions that nothing names any more. What a failure leaves is removed by time.
    async fn tidy(&self, space: Space, key: &Key, versions: &[Past]) {
        for versions in versions.chunks(plan::FORGOTTEN_MAX) {
            let mut plan = Plan::new(self.context(None));
            plan.forget(key, versions.iter().copied());
            if let Err(error) = self.0.repo.commit(space.owner, plan.silent()).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "left to time");
                return;
            }
        }
    }
}

impl fmt::Debug for Kv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kv").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt { what: what.to_owned() }
}
