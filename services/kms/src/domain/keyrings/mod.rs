//! The root key and the keyrings below it, one for each service.
//!
//! At start the root key is checked against the stored verifier before anything is touched. The first
//! start makes verifier and keyrings in one commit, guarded by the verifier's absence, so that of two
//! processes that race one makes them and the other uses them.
//!
//! Rotation spreads a new version before it is used: a process adds it to the stored keyring with the
//! time from which it may be used, every process takes it over when it next looks ([`Keyrings::tick`],
//! at least every [`TICK`]), and only then one of them activates it. Old versions stay. The KMS's own
//! keyring rotates by age and by use; those of other services by age, because what they seal is not
//! counted here.
//!
//! Not here: destroying old versions, which needs an operator and two clean sweeps.

mod open;
mod resealing;
mod rotation;
mod secret;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use coffer_core::{Clock, Random};
use coffer_crypto::index::IndexKey;
use coffer_crypto::keyring::{
    HandoverError, KeyId, Keyring, KeyringError, UnwrapError, WrappingKey, handover_seal,
};
use coffer_crypto::root::{RootKey, WrongRootKey};
use coffer_store::records::{Records, StoreError};
use moka::sync::Cache;

use crate::config::KeyringSettings;
use crate::repo::keyring::KeyringRepo;

pub use resealing::{Resealed, Resealer};
pub use rotation::{Change, keep_rotating};
pub use secret::{RootKeyMismatch, RootSecret, RootSecretError};

/// The KMS's own keyring.
pub const KMS: &str = "kms";
/// The services that have a keyring.
pub const SERVICES: [&str; 3] = [KMS, "data", "gateway"];
/// How often a process looks whether a keyring has changed, at least.
pub const TICK: Duration = Duration::from_mins(1);
/// How long a new version is spread before it is used. Services that are handed a keyring must ask
/// again well within this time.
pub const SPREAD: Duration = Duration::from_mins(10);

/// Why keyrings do not open or change.
#[derive(Debug, thiserror::Error)]
pub enum KeyringsError {
    /// The secret in the settings does not fit the store.
    #[error("the root key")]
    Root(#[from] RootKeyMismatch),
    /// The root key is another one than this store was begun with.
    #[error("the root key is not the one that this store was begun with; nothing was changed")]
    WrongRootKey(#[source] WrongRootKey),
    /// A stored keyring does not open.
    #[error("unwrapping the keyring of {service}")]
    Unwrap {
        /// Whose keyring.
        service: String,
        /// Why not.
        #[source]
        source: UnwrapError,
    },
    /// A stored keyring contradicts the one in use.
    #[error("taking over the keyring of {service}")]
    Adopt {
        /// Whose keyring.
        service: String,
        /// What is wrong.
        #[source]
        source: KeyringError,
    },
    /// No keyring is kept for such a service.
    #[error("there is no keyring for a service named {0:?}")]
    UnknownService(String),
    /// A record that was just written is not there.
    #[error("a keyring has vanished from the store")]
    Vanished,
    /// The service's secret is no good.
    #[error("handing over a keyring")]
    Handover(#[from] HandoverError),
    /// The store failed.
    #[error("the keyrings in the store")]
    Store(#[from] StoreError),
}

/// What [`Keyrings`] works with.
#[derive(Clone, Debug)]
pub struct KeyringParts {
    /// Where keyrings are kept.
    pub store: Arc<dyn Records>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for new keys and nonces.
    pub random: Arc<dyn Random>,
}

/// When a keyring gets a new version.
#[derive(Clone, Copy, Debug)]
struct Due {
    age: Duration,
    uses: u64,
}

impl From<&KeyringSettings> for Due {
    fn from(settings: &KeyringSettings) -> Self {
        let age = Duration::from_hours(24) * settings.rotation_days.get();
        Self { age, uses: settings.rotation_uses.max(1) }
    }
}

struct Ring {
    service: &'static str,
    keyring: Arc<Keyring>,
    wrapping: WrappingKey,
}

/// The open keyrings.
pub struct Keyrings {
    parts: KeyringParts,
    repo: KeyringRepo,
    root: RootKey,
    rings: Vec<Ring>,
    due: Due,
    /// The newest version in each keyring that was handed over lately, by service and address.
    told: Cache<(String, Option<IpAddr>), KeyId>,
}

impl Keyrings {
    /// The KMS's own keyring, which seals its records.
    pub fn own(&self) -> Arc<Keyring> {
        Arc::clone(&self.ring(KMS).expect("the KMS is one of the services").keyring)
    }

    /// The key that blinds names.
    pub fn index_key(&self) -> IndexKey {
        self.root.derive_index_key()
    }

    /// The root key, for deriving keys of other purposes.
    pub fn root(&self) -> &RootKey {
        &self.root
    }

    /// The keyring of `service`, sealed so that only the holder of `secret` opens it.
    pub fn hand_over(&self, service: &str, secret: &[u8]) -> Result<Vec<u8>, KeyringsError> {
        let ring = self.ring(service).filter(|ring| ring.service != KMS);
        let ring = ring.ok_or_else(|| KeyringsError::UnknownService(service.to_owned()))?;
        Ok(handover_seal(&ring.keyring, secret, service, &*self.parts.random)?)
    }

    /// Whether handing `service` its keyring at this address is news: not if the same versions went to the same
    /// place within the last hour.
    pub fn is_news(&self, service: &str, address: Option<IpAddr>) -> bool {
        self.told.get(&(service.to_owned(), address)) != self.newest(service)
    }

    /// Remembers that the hand-over was recorded.
    pub fn told(&self, service: &str, address: Option<IpAddr>) {
        if let Some(newest) = self.newest(service) {
            self.told.insert((service.to_owned(), address), newest);
        }
    }

    fn newest(&self, service: &str) -> Option<KeyId> {
        self.ring(service)?.keyring.versions().last().map(|version| version.id)
    }

    fn ring(&self, service: &str) -> Option<&Ring> {
        self.rings.iter().find(|ring| ring.service == service)
    }
}

impl fmt::Debug for Keyrings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.rings.iter().map(|ring| (ring.service, &ring.keyring))).finish()
    }
}
