//! Changing a keyring: adding, activating and destroying versions, and taking over another's state.

use std::sync::{Arc, PoisonError};

use coffer_core::{Random, Timestamp};

use super::version::{Version, Versions};
use super::{KeyId, Keyring, KeyringError, VERSIONS_MAX, VersionInfo};
use crate::safe::equal::equal;

impl Keyring {
    /// What may be known of each version, oldest first.
    #[must_use]
    pub fn versions(&self) -> Vec<VersionInfo> {
        let versions = self.versions.load();
        let active = versions.active().id;
        let info = |version: &Arc<Version>| VersionInfo {
            id: version.id,
            created_at: version.created_at,
            active: version.id == active,
            sealings: version.sealings(),
        };
        versions.all().iter().map(info).collect()
    }

    /// What may be known of the active version.
    #[must_use]
    pub fn active(&self) -> VersionInfo {
        let versions = self.versions.load();
        let version = versions.active();
        VersionInfo {
            id: version.id,
            created_at: version.created_at,
            active: true,
            sealings: version.sealings(),
        }
    }

    /// The active version, and how many values this process has sealed under it since the last time this
    /// was asked: add it to the count that all processes share.
    pub fn take_sealings(&self) -> (KeyId, u64) {
        let versions = self.versions.load();
        let version = versions.active();
        (version.id, version.take_sealings())
    }

    /// Adds a version. Nothing is sealed under it before [`activate`](Self::activate): spread it first.
    pub fn add_version(&self, now: Timestamp, random: &dyn Random) -> Result<KeyId, KeyringError> {
        self.change(|versions| {
            let newest = versions.all().last().expect("a keyring is never empty").id;
            let id = newest.0.checked_add(1).map(KeyId).filter(|_| versions.len() < VERSIONS_MAX);
            let id = id.ok_or(KeyringError::Full)?;
            let mut all = versions.all().to_vec();
            all.push(Arc::new(Version::make(id, now, random)));
            Ok((all, versions.active().id, id))
        })
    }

    /// Seals under version `id` from now on. Only forward: an older version never becomes active again.
    pub fn activate(&self, id: KeyId) -> Result<(), KeyringError> {
        self.change(|versions| {
            versions.get(id).ok_or(KeyringError::Unknown(id))?;
            if id < versions.active().id {
                return Err(KeyringError::Older(id));
            }
            Ok((versions.all().to_vec(), id, ()))
        })
    }

    /// Forgets a version for good. **What is still sealed under it is lost**: first re-seal, and look twice
    /// that nothing is left.
    pub fn destroy(&self, id: KeyId) -> Result<(), KeyringError> {
        self.change(|versions| {
            let active = versions.active().id;
            versions.get(id).ok_or(KeyringError::Unknown(id))?;
            if id >= active {
                return Err(KeyringError::InUse(id));
            }
            let all = versions.all().iter().filter(|version| version.id != id).cloned().collect();
            Ok((all, active, ()))
        })
    }

    /// Takes over the versions of `newer`, a later state of the same keyring as read from storage or from
    /// the KMS. Versions that stay keep their counts. A state in which a known version has another key is
    /// refused, and so is one that would activate an older version: both are signs of tampering.
    pub fn adopt(&self, newer: &Self) -> Result<(), KeyringError> {
        let newer = newer.versions.load();
        self.change(|versions| {
            let active = newer.active().id;
            if active < versions.active().id {
                return Err(KeyringError::Older(active));
            }
            let mut all = Vec::with_capacity(newer.len());
            for version in newer.all() {
                match versions.all().binary_search_by_key(&version.id, |known| known.id) {
                    Ok(at) => {
                        let known = &versions.all()[at];
                        if !equal(known.key.expose(), version.key.expose()) {
                            return Err(KeyringError::Conflict(version.id));
                        }
                        all.push(Arc::clone(known));
                    }
                    Err(_) => all.push(Arc::clone(version)),
                }
            }
            Ok((all, active, ()))
        })
    }

    /// Replaces the set of versions by what `make` says; one change at a time.
    fn change<T>(
        &self,
        make: impl FnOnce(&Versions) -> Result<(Vec<Arc<Version>>, KeyId, T), KeyringError>,
    ) -> Result<T, KeyringError> {
        // The lock guards no data of its own, so a panic while it was held has broken nothing.
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, active, answer) = make(&self.versions.load())?;
        let versions = Versions::new(all, active).expect("changes keep the order and the active version");
        self.versions.store(Arc::new(versions));
        Ok(answer)
    }
}
