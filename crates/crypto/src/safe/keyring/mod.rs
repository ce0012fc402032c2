//! Keyrings: the keys under which a service seals its records, in versions.
//!
//! Sealing is XAES-256-GCM under the active version, with a random 192-bit nonce, so no bound on the
//! number of records is ever near. What is sealed is bound to its place by the associated data and says
//! which version opens it:
//!
//! ```text
//! key id (4 bytes, big-endian) ‖ nonce (24) ‖ ciphertext ‖ tag (16)
//! ```
//!
//! A rotation has two steps, so that replicas never meet a version that they do not hold: a version is
//! [added](Keyring::add_version) and spread first, and [activated](Keyring::activate) later. At rest a
//! keyring is [wrapped](Keyring::wrap) under a key derived from the root key; to a service it is handed
//! over under a key derived from that service's secret ([`handover_seal`]).

mod error;
mod handover;
mod rotation;
#[cfg(test)]
mod tests;
mod version;
mod wrap;

use std::fmt;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use coffer_core::{Random, SecretBytes, Timestamp};

use crate::hazmat::{TAG_BYTES, XAES_NONCE_BYTES};
use version::{Version, Versions};

pub use error::{KeyringError, OpenError, UnwrapError};
pub use handover::{HANDOVER_SECRET_BYTES_MIN, HandoverError, handover_open, handover_seal};
pub use version::{KeyId, VersionInfo};
pub use wrap::WrappingKey;

const KEY_ID_BYTES: usize = 4;
const HEADER_BYTES: usize = KEY_ID_BYTES + XAES_NONCE_BYTES;
/// How much longer a sealed value is than its plaintext, in bytes.
pub const SEALED_OVERHEAD_BYTES: usize = HEADER_BYTES + TAG_BYTES;
/// Versions in one keyring, at most.
pub const VERSIONS_MAX: usize = 10_000;

/// The keys of one service. Readers take no lock; changes replace the whole set at once.
pub struct Keyring {
    versions: ArcSwap<Versions>,
    changing: Mutex<()>,
}

impl Keyring {
    /// A new keyring with one version, which is active.
    #[must_use]
    pub fn create(now: Timestamp, random: &dyn Random) -> Self {
        let first = Arc::new(Version::make(KeyId(1), now, random));
        Self::of(Versions::new(vec![first], KeyId(1)).expect("one version is a keyring"))
    }

    fn of(versions: Versions) -> Self {
        Self { versions: ArcSwap::from_pointee(versions), changing: Mutex::new(()) }
    }

    /// Seals `plaintext` under the active version, bound to `aad`.
    ///
    /// `aad` must name the place where the value will stand, unlike every other place sealed under this
    /// keyring: a value opens wherever the same `aad` is given.
    #[must_use]
    pub fn seal(&self, random: &dyn Random, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let versions = self.versions.load();
        let version = versions.active();
        let mut nonce = [0; XAES_NONCE_BYTES];
        random.fill(&mut nonce);
        let mut sealed = Vec::with_capacity(SEALED_OVERHEAD_BYTES + plaintext.len());
        sealed.extend_from_slice(&version.id.0.to_be_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let tag = version.cipher.seal(&nonce, aad, &mut sealed[HEADER_BYTES..]);
        sealed.extend_from_slice(&tag);
        version.count_sealing();
        sealed
    }

    /// Opens what [`seal`](Self::seal) made with the same `aad`.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<SecretBytes, OpenError> {
        let (id, nonce, ciphertext, tag) = split(sealed).ok_or(OpenError::TooShort)?;
        let versions = self.versions.load();
        let version = versions.get(id).ok_or(OpenError::UnknownKey(id))?;
        let mut plaintext = ciphertext.to_vec();
        version.cipher.open(nonce, aad, &mut plaintext, tag).map_err(|_| OpenError::Refused)?;
        Ok(SecretBytes::new(plaintext))
    }
}

type Split<'a> = (KeyId, &'a [u8; XAES_NONCE_BYTES], &'a [u8], &'a [u8; TAG_BYTES]);

fn split(sealed: &[u8]) -> Option<Split<'_>> {
    let (id, rest) = sealed.split_first_chunk::<KEY_ID_BYTES>()?;
    let (nonce, rest) = rest.split_first_chunk()?;
    let (ciphertext, tag) = rest.split_last_chunk()?;
    Some((KeyId(u32::from_be_bytes(*id)), nonce, ciphertext, tag))
}

/// Which version a sealed value was sealed under, without opening it: what re-sealing goes by.
#[must_use]
pub fn sealed_under(sealed: &[u8]) -> Option<KeyId> {
    split(sealed).map(|(id, ..)| id)
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions = self.versions.load();
        f.debug_struct("Keyring")
            .field("active", &versions.active().id)
            .field("versions", &versions.len())
            .finish_non_exhaustive()
    }
}
