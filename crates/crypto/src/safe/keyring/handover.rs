//! Handing a keyring to the service that it belongs to.
//!
//! The wrapping key is derived (HKDF-SHA256, RFC 5869) from the secret that the KMS and that one service
//! share, for that service's name; so a keyring handed to one service opens for no other.

use coffer_core::{Random, SecretKey};

use super::{Keyring, UnwrapError, WrappingKey};
use crate::hazmat;

/// The shortest service secret that keyrings are handed over under, in bytes. It is a key, not a
/// password: a hand-over that was overheard can be tried against guesses.
pub const HANDOVER_SECRET_BYTES_MIN: usize = 32;

/// Why a keyring is not handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandoverError {
    /// The secret is shorter than [`HANDOVER_SECRET_BYTES_MIN`].
    #[error("a service secret has at least {HANDOVER_SECRET_BYTES_MIN} bytes")]
    WeakSecret,
    /// The bytes do not open.
    #[error("opening the keyring that was handed over")]
    Unwrap(#[source] UnwrapError),
}

/// The keyring for `service`, as bytes that only `secret` opens. Each call draws fresh nonces.
pub fn handover_seal(
    keyring: &Keyring,
    secret: &[u8],
    service: &str,
    random: &dyn Random,
) -> Result<Vec<u8>, HandoverError> {
    Ok(keyring.wrap(&wrapping_key(secret, service)?, random))
}

/// The keyring in what [`handover_seal`] made for the same service with the same secret.
pub fn handover_open(secret: &[u8], service: &str, handed: &[u8]) -> Result<Keyring, HandoverError> {
    Keyring::unwrap(&wrapping_key(secret, service)?, handed).map_err(HandoverError::Unwrap)
}

fn wrapping_key(secret: &[u8], service: &str) -> Result<WrappingKey, HandoverError> {
    if secret.len() < HANDOVER_SECRET_BYTES_MIN {
        return Err(HandoverError::WeakSecret);
    }
    let key = SecretKey::init_with(|out| {
        hazmat::hkdf_sha256(b"coffer keyring hand-over v1", secret, &[service.as_bytes()], out);
    });
    Ok(WrappingKey::new(&key, service))
}
