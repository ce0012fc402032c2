//! Whoever has a user key.

use std::fmt;
use std::sync::{Arc, Mutex};

use coffer_store::records::{Opened, Sort, StoreError};

use super::derivation::Derived;
use super::space::OpenSpace;
use super::{Configs, ConfigsError};
use crate::repo::configs::{Entry, Owner, Place, StoredOwner, keys, open};

/// A user key that was brought, and what it opens.
#[derive(Clone)]
pub struct Holder {
    configs: Configs,
    derived: Arc<Derived>,
    /// A schema, and the value that was last found to match it.
    pub(super) passed: Arc<Mutex<Option<(String, String)>>>,
}

/// A configuration as it stands in the storage.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) entry: Entry,
    pub(super) sort: Sort,
    pub(super) version: coffer_store::records::Version,
}

impl Holder {
    pub(super) fn new(configs: Configs, derived: Arc<Derived>) -> Self {
        Self { configs, derived, passed: Arc::default() }
    }

    /// What should be said of the user key, if it is weak.
    pub fn advice(&self) -> Option<&'static str> {
        self.derived.advice
    }

    /// Which user key this is, told apart from others and nothing else.
    pub fn place(&self) -> Place {
        self.derived.place
    }

    /// Notes that configurations were read.
    pub(super) fn note_reads(&self, space: &Arc<OpenSpace>, ids: impl IntoIterator<Item = u64>) {
        let inner = &self.configs.0;
        let now = inner.clock.now();
        ids.into_iter().for_each(|id| inner.reads.note(space, id, now));
    }

    pub(super) fn configs(&self) -> &Configs {
        &self.configs
    }

    pub(super) fn derived(&self) -> &Derived {
        &self.derived
    }

    /// The name space, if there is one.
    pub(super) async fn space(&self) -> Result<Option<Arc<OpenSpace>>, ConfigsError> {
        self.configs.space(&self.derived).await
    }

    /// The name space; it is made if there is none.
    pub(super) async fn space_or_new(&self) -> Result<Arc<OpenSpace>, ConfigsError> {
        self.configs.space_or_new(&self.derived).await
    }

    /// Whether an owner record names us, as it did when the name space was opened. If not, what is remembered is
    /// forgotten, and the caller begins anew.
    pub(super) fn is_ours(&self, space: &OpenSpace, owner: Option<StoredOwner>) -> bool {
        let ours = owner.is_some_and(|found| {
            found.owner == Owner::Wrap(self.derived.place) && found.version == space.owner
        });
        if !ours {
            self.derived.learn(None);
        }
        ours
    }

    /// Where a configuration stands.
    pub(super) fn sort(&self, space: &OpenSpace, key: &str, environment: &str) -> Sort {
        let pepper = &self.configs.0.deployment.pepper;
        let blind = |domain, name| space.keys.blind(pepper, domain, name);
        keys::current(blind("key", key), blind("environment", environment))
    }

    /// The range of a key in all environments.
    pub(super) fn environments_of(&self, space: &OpenSpace, key: &str) -> coffer_store::records::SortRange {
        keys::environments_of(space.keys.blind(&self.configs.0.deployment.pepper, "key", key))
    }
}

impl OpenSpace {
    /// The configuration in a record.
    pub(super) fn read(&self, opened: &Opened) -> Result<Found, StoreError> {
        let entry = open(&self.keys, &opened.sort, opened.bytes()?)?;
        Ok(Found { entry, sort: opened.sort.clone(), version: opened.version })
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Holder")
    }
}
