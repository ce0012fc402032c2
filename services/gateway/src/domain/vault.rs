//! What needs the keyring, from the moment when that has arrived.

use std::sync::OnceLock;

use super::kv::Kv;
use super::usage::Usage;

/// The keyring has not arrived, so nothing can be opened or sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the keyring has not arrived from the KMS yet")]
pub struct Locked;

/// What the vault holds.
#[derive(Debug)]
struct Open {
    kv: Kv,
    usage: Usage,
}

/// Keys and the figures of their use, locked until the keyring is there.
#[derive(Debug, Default)]
pub struct Vault(OnceLock<Open>);

impl Vault {
    /// Opens the vault: the keyring has arrived. Only the first call does anything.
    pub fn unlock(&self, kv: Kv, usage: Usage) {
        self.0.get_or_init(|| Open { kv, usage });
    }

    /// The key-value store, once it can be opened.
    pub fn kv(&self) -> Result<&Kv, Locked> {
        self.0.get().map(|open| &open.kv).ok_or(Locked)
    }

    /// The figures of use, once they can be opened.
    pub fn usage(&self) -> Result<&Usage, Locked> {
        self.0.get().map(|open| &open.usage).ok_or(Locked)
    }
}
