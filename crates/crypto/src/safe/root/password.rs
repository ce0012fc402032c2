//! A root key from a password.

use std::num::NonZeroU32;

use argon2::{Algorithm, Argon2, Params, Version};
use coffer_core::{Random, SecretKey};
use serde::{Deserialize, Serialize};

use crate::hazmat;

/// The longest password that is taken, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;
const SALT_BYTES: usize = 16;
const ARGON2_MEMORY_KIB: std::ops::RangeInclusive<u32> = 64 * 1024..=4 * 1024 * 1024;
const ARGON2_PASSES: std::ops::RangeInclusive<u32> = 3..=64;
const ARGON2_LANES: std::ops::RangeInclusive<u32> = 1..=16;
const PBKDF2_ITERATIONS: std::ops::RangeInclusive<u32> = 600_000..=100_000_000;

/// How a password becomes a key. Stored beside the verifier; not secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordParams {
    /// The function and its cost.
    pub kdf: PasswordKdf,
    /// Random, one per installation, so that one table of passwords does not serve against two.
    pub salt: [u8; SALT_BYTES],
}

/// A function from passwords to keys, with its cost. Costs below the least are refused, so that nobody
/// who can write to the storage can talk a service into deriving a cheap key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PasswordKdf {
    /// Argon2id (RFC 9106), version 1.3.
    Argon2id {
        /// Memory, in KiB: 64 MiB to 4 GiB.
        memory_kib: u32,
        /// Passes over the memory: 3 to 64.
        passes: u32,
        /// Lanes: 1 to 16.
        lanes: u32,
    },
    /// PBKDF2-HMAC-SHA256 (RFC 8018), for keys made where Argon2 is not to be had.
    Pbkdf2HmacSha256 {
        /// 600,000 to 100,000,000.
        iterations: u32,
    },
}

/// Why a password makes no root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The password is empty or over [`PASSWORD_BYTES_MAX`].
    #[error("a root password has 1 to {PASSWORD_BYTES_MAX} bytes")]
    Length,
    /// A cost is outside the limits that [`PasswordKdf`] names.
    #[error("the stored cost of the password function is outside its limits")]
    Cost,
    /// The memory cannot be had.
    #[error("the password function needs {memory_kib} KiB of memory, which cannot be had")]
    Memory {
        /// How much was asked for.
        memory_kib: u32,
    },
}

impl PasswordParams {
    /// Argon2id with 64 MiB and 3 passes (RFC 9106, section 4, the second recommendation, on one lane
    /// because it runs on one thread here), and a new salt.
    #[must_use]
    pub fn make(random: &dyn Random) -> Self {
        Self::make_with(PasswordKdf::Argon2id { memory_kib: 64 * 1024, passes: 3, lanes: 1 }, random)
    }

    /// This function, and a new salt.
    #[must_use]
    pub fn make_with(kdf: PasswordKdf, random: &dyn Random) -> Self {
        let mut salt = [0; SALT_BYTES];
        random.fill(&mut salt);
        Self { kdf, salt }
    }

    pub(super) fn derive(&self, password: &str) -> Result<SecretKey, PasswordError> {
        if password.is_empty() || password.len() > PASSWORD_BYTES_MAX {
            return Err(PasswordError::Length);
        }
        match self.kdf {
            PasswordKdf::Argon2id { memory_kib, passes, lanes } => {
                let within = ARGON2_MEMORY_KIB.contains(&memory_kib)
                    && ARGON2_PASSES.contains(&passes)
                    && ARGON2_LANES.contains(&lanes);
                let params = Params::new(memory_kib, passes, lanes, Some(32)).ok().filter(|_| within);
                let argon2 =
                    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.ok_or(PasswordError::Cost)?);
                let mut derived = Ok(());
                let key = SecretKey::init_with(|out| {
                    derived = argon2.hash_password_into(password.as_bytes(), &self.salt, out);
                });
                derived.map(|()| key).map_err(|_| PasswordError::Memory { memory_kib })
            }
            PasswordKdf::Pbkdf2HmacSha256 { iterations } => {
                let within = Some(iterations).filter(|iterations| PBKDF2_ITERATIONS.contains(iterations));
                let iterations = within.and_then(NonZeroU32::new).ok_or(PasswordError::Cost)?;
                Ok(SecretKey::init_with(|out| {
                    hazmat::pbkdf2_hmac_sha256(password.as_bytes(), &self.salt, iterations, out);
                }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use coffer_core::SeededRandom;

    use super::*;

    const PBKDF2: PasswordKdf = PasswordKdf::Pbkdf2HmacSha256 { iterations: 600_000 };

    #[test]
    fn a_password_makes_the_same_key_again_and_another_password_or_salt_does_not() {
        let random = SeededRandom::new(1);
        let of = |params: &PasswordParams, password| *params.derive(password).unwrap().expose();
        for params in [PasswordParams::make(&random), PasswordParams::make_with(PBKDF2, &random)] {
            let stored = serde_json::to_string(&params).unwrap();
            let read: PasswordParams = serde_json::from_str(&stored).unwrap();
            assert_eq!(of(&params, "correct horse"), of(&read, "correct horse"));
            assert_ne!(of(&params, "correct horse"), of(&params, "correct horsf"));
            let resalted = PasswordParams::make_with(params.kdf, &random);
            assert_ne!(of(&params, "correct horse"), of(&resalted, "correct horse"));
        }
    }

    #[test]
    fn cheap_and_ruinous_costs_are_refused() {
        let argon2 = |memory_kib, passes, lanes| PasswordKdf::Argon2id { memory_kib, passes, lanes };
        for kdf in [
            argon2(64 * 1024 - 1, 3, 1),
            argon2(64 * 1024, 2, 1),
            argon2(u32::MAX, 3, 1),
            argon2(64 * 1024, u32::MAX, 1),
            argon2(64 * 1024, 3, 0),
            PasswordKdf::Pbkdf2HmacSha256 { iterations: 599_999 },
            PasswordKdf::Pbkdf2HmacSha256 { iterations: u32::MAX },
        ] {
            let params = PasswordParams { kdf, salt: [0; 16] };
            assert_eq!(params.derive("password").err(), Some(PasswordError::Cost), "{kdf:?}");
        }
        let params = PasswordParams { kdf: PBKDF2, salt: [0; 16] };
        assert_eq!(params.derive("").err(), Some(PasswordError::Length));
        assert_eq!(params.derive(&"x".repeat(1025)).err(), Some(PasswordError::Length));
    }
}
