//! The root key's verifier and the wrapped keyrings in the store.
//!
//! Table `keyring`, one partition, **not sealed**: it must be read before any keyring is open. The
//! keyrings in it are wrapped under keys derived from the root key and authenticated; the verifier and
//! the password's parameters are no secrets. Verifier and first keyrings commit together, so two
//! processes that start at once on an empty store end up with one root key and one set of keyrings.

use std::sync::Arc;

use coffer_core::Timestamp;
use coffer_crypto::keyring::KeyId;
use coffer_crypto::root::PasswordParams;
use coffer_store::records::{Commit, Outcome, Partition, Record, Records, Sort, StoreError, Value, Version};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::tables::KEYRING;

/// What recognises the root key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootRecord {
    /// Recognises the root key and gives no way back to it.
    #[serde(with = "serde_bytes")]
    pub verifier: Vec<u8>,
    /// How the root key is made of a password, if it is.
    #[serde(default)]
    pub password: Option<PasswordParams>,
    /// When the installation began.
    pub created_at: Timestamp,
}

/// A version that is being spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Which version.
    pub version: u32,
    /// From when on it may be used: by then every process holds it.
    pub activate_at: Timestamp,
}

/// One service's keyring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyringRecord {
    /// The keyring, wrapped.
    #[serde(with = "serde_bytes")]
    pub wrapped: Vec<u8>,
    /// Since when its active version is in use.
    pub active_since: Timestamp,
    /// The version that is to become active, if one is.
    #[serde(default)]
    pub pending: Option<Pending>,
}

/// Who seals old records anew, and when that was last done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResealRecord {
    /// Until when a process does it.
    pub lease_until: Timestamp,
    /// When it was last done to the end.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
}

/// The table `keyring`.
#[derive(Clone, Debug)]
pub struct KeyringRepo {
    store: Arc<dyn Records>,
    partition: Partition,
    root: Sort,
}

fn keyring(service: &str) -> Sort {
    Sort::of("service").and(service).build()
}

fn uses(service: &str, version: KeyId) -> Sort {
    Sort::of("uses").and(service).and(version.0.to_be_bytes()).build()
}

fn decode<T: DeserializeOwned>(record: &Record) -> Result<T, StoreError> {
    let corrupt = |what: String| StoreError::Corrupt { what };
    match &record.value {
        Value::Bytes(bytes) => {
            rmp_serde::from_slice(bytes).map_err(|error| corrupt(format!("a record of `keyring`: {error}")))
        }
        Value::Counter(_) => Err(corrupt("a counter among the keyrings".into())),
    }
}

fn resealing() -> Sort {
    Sort::of("resealing").build()
}

/// A commit that changes nothing unless the record is at `version`, or absent if that is `None`.
fn guarded(sort: &Sort, version: Option<Version>) -> Commit {
    match version {
        Some(version) => Commit::new().at_version(sort, version),
        None => Commit::new().absent(sort),
    }
}

fn put<T: Serialize>(commit: Commit, sort: &Sort, value: &T) -> Commit {
    commit.put(sort, rmp_serde::to_vec_named(value).expect("plain data"), None)
}

impl KeyringRepo {
    /// The keyrings in `store`.
    pub fn new(store: Arc<dyn Records>) -> Self {
        Self { store, partition: Partition::new(KEYRING, "keyring"), root: Sort::of("root").build() }
    }

    /// What recognises the root key, unless this is the first start.
    pub async fn root(&self) -> Result<Option<RootRecord>, StoreError> {
        let record = self.store.get(&self.partition, &self.root).await?;
        record.map(|record| decode(&record)).transpose()
    }

    /// Keeps a new root key's verifier and the first keyrings. `false` if there is a verifier already.
    pub async fn create(
        &self,
        root: &RootRecord,
        keyrings: &[(&str, KeyringRecord)],
    ) -> Result<bool, StoreError> {
        let mut commit = put(Commit::new().absent(&self.root), &self.root, root);
        for (service, record) in keyrings {
            commit = put(commit, &keyring(service), record);
        }
        Ok(self.store.commit(&self.partition, commit).await?.is_committed())
    }

    /// The keyring of `service` and the version of its record.
    pub async fn keyring(&self, service: &str) -> Result<Option<(KeyringRecord, Version)>, StoreError> {
        let record = self.store.get(&self.partition, &keyring(service)).await?;
        record.map(|record| Ok((decode(&record)?, record.version))).transpose()
    }

    /// Replaces the keyring of `service`, if it is still at `version`, or makes it, if that is `None`.
    pub async fn replace(
        &self,
        service: &str,
        version: Option<Version>,
        record: &KeyringRecord,
    ) -> Result<bool, StoreError> {
        let sort = keyring(service);
        let commit = put(guarded(&sort, version), &sort, record);
        Ok(self.store.commit(&self.partition, commit).await?.is_committed())
    }

    /// Who seals old records anew.
    pub async fn resealing(&self) -> Result<Option<(ResealRecord, Version)>, StoreError> {
        let record = self.store.get(&self.partition, &resealing()).await?;
        record.map(|record| Ok((decode(&record)?, record.version))).transpose()
    }

    /// Says who does, if that is still at `version`, and gives its new version.
    pub async fn put_resealing(
        &self,
        version: Option<Version>,
        record: &ResealRecord,
    ) -> Result<Option<Version>, StoreError> {
        let commit = put(guarded(&resealing(), version), &resealing(), record);
        Ok(match self.store.commit(&self.partition, commit).await? {
            Outcome::Committed(done) => Some(done.version),
            Outcome::Refused { .. } => None,
        })
    }

    /// Adds to the number of values that all processes have sealed under `version`, and gives the sum.
    pub async fn count_uses(&self, service: &str, version: KeyId, uses_more: u64) -> Result<u64, StoreError> {
        let delta = i64::try_from(uses_more).unwrap_or(i64::MAX);
        let commit = Commit::new().add(&uses(service, version), delta, None);
        match self.store.commit(&self.partition, commit).await? {
            Outcome::Committed(done) => {
                Ok(done.counters.first().and_then(|sum| u64::try_from(*sum).ok()).unwrap_or(0))
            }
            Outcome::Refused { .. } => unreachable!("a commit without guards is not refused"),
        }
    }
}
