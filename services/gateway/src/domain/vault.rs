//! The sealed store, from the moment when the keyring has arrived.

use std::sync::OnceLock;

use coffer_store::records::Sealed;

/// The keyring has not arrived, so nothing can be opened or sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the keyring has not arrived from the KMS yet")]
pub struct Locked;

/// The sealed store, locked until the keyring is there.
#[derive(Debug, Default)]
pub struct Vault(OnceLock<Sealed>);

impl Vault {
    /// Opens the vault: the keyring has arrived. Only the first call does anything.
    pub fn unlock(&self, store: Sealed) {
        self.0.get_or_init(|| store);
    }

    /// The store, once it can be opened.
    pub fn store(&self) -> Result<&Sealed, Locked> {
        self.0.get().ok_or(Locked)
    }
}
