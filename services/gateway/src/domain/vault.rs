//! What needs the keyring, from the moment when that has arrived.

use std::sync::OnceLock;

use super::configs::Configs;
use super::kv::Kv;
use super::usage::Usage;

/// The keyring has not arrived, so nothing can be opened or sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the keyring has not arrived from the KMS yet")]
pub struct Locked;

/// The salt of configurations could not be read yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("configurations cannot be opened yet")]
pub struct NoConfigs;

/// What the vault holds.
#[derive(Debug)]
struct Open {
    kv: Kv,
    usage: Usage,
}

/// Keys and the figures of their use, locked until the keyring is there.
#[derive(Debug, Default)]
pub struct Vault {
    open: OnceLock<Open>,
    /// On its own: it needs the storage, and keys do not wait for it.
    configs: OnceLock<Configs>,
}

impl Vault {
    /// Opens the vault: the keyring has arrived. Only the first call does anything.
    pub fn unlock(&self, kv: Kv, usage: Usage) {
        self.open.get_or_init(|| Open { kv, usage });
    }

    /// The key-value store, once it can be opened.
    pub fn kv(&self) -> Result<&Kv, Locked> {
        self.open.get().map(|open| &open.kv).ok_or(Locked)
    }

    /// The figures of use, once they can be opened.
    pub fn usage(&self) -> Result<&Usage, Locked> {
        self.open.get().map(|open| &open.usage).ok_or(Locked)
    }

    /// Opens configurations. Only the first call does anything.
    pub fn unlock_configs(&self, configs: Configs) {
        self.configs.get_or_init(|| configs);
    }

    /// Configurations, once they can be opened.
    pub fn configs(&self) -> Result<&Configs, NoConfigs> {
        self.configs.get().ok_or(NoConfigs)
    }
}
