//! The root key: the one secret from which everything that the storage must not know is derived.
//!
//! It comes as 32 bytes in text (a file, an environment variable) or from a password ([`PasswordParams`]).
//! From it are derived by HKDF-SHA256 (RFC 5869), each for one purpose: the [`IndexKey`], a [`WrappingKey`]
//! per service for its keyring, and a verifier that is stored, so that a wrong root key is refused before
//! anything is touched. It encrypts nothing itself, and is never in the storage that it protects.

mod password;

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use coffer_core::SecretKey;
use zeroize::Zeroizing;

use crate::hazmat;
use crate::index::IndexKey;
use crate::keyring::WrappingKey;
use crate::safe::equal::equal;

pub use password::{PASSWORD_BYTES_MAX, PasswordError, PasswordKdf, PasswordParams};

const SALT: &[u8] = b"coffer root key v1";

/// The root key.
pub struct RootKey(SecretKey);

/// A text is not a root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a root key is 32 bytes, written as 64 hexadecimal digits or as base64")]
pub struct RootKeyError;

/// The root key is not the one that the stored verifier was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the root key that the stored keyrings were made with")]
pub struct WrongRootKey;

impl RootKey {
    /// The root key with these bytes, which must be 32 random ones.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RootKeyError> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| RootKeyError)?;
        Ok(Self(SecretKey::init_with(|key| key.copy_from_slice(bytes))))
    }

    /// The root key in a text: 64 hexadecimal digits, or base64 in either alphabet, padded or not. Space
    /// around it is passed over, so a file may end in a newline.
    pub fn from_text(text: &str) -> Result<Self, RootKeyError> {
        let text = text.trim();
        let bytes = Zeroizing::new(if text.len() == 64 {
            hex::decode(text).map_err(|_| RootKeyError)?
        } else {
            let alphabet = if text.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
            let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
            GeneralPurpose::new(alphabet, config).decode(text).map_err(|_| RootKeyError)?
        });
        Self::from_bytes(&bytes)
    }

    /// The root key that a password stands for, under the parameters stored beside its verifier. This is
    /// slow on purpose (about 0.2 s) and takes the memory that the parameters name.
    pub fn from_password(password: &str, params: &PasswordParams) -> Result<Self, PasswordError> {
        params.derive(password).map(Self)
    }

    /// The key that blinds names.
    #[must_use]
    pub fn derive_index_key(&self) -> IndexKey {
        IndexKey::new(&self.derive("index", ""))
    }

    /// The key that wraps the keyring of one service.
    #[must_use]
    pub fn derive_wrapping_key(&self, service: &str) -> WrappingKey {
        WrappingKey::new(&self.derive("wrap", service), service)
    }

    /// A key for one other purpose, such as the codes that the KMS keeps a MAC of.
    #[must_use]
    pub fn derive_secret(&self, purpose: &str) -> SecretKey {
        self.derive("secret", purpose)
    }

    /// What is stored to recognise this root key by. It gives no way back; but whoever reads it can try
    /// passwords against it, as against anything sealed below a root key made from a password.
    #[must_use]
    pub fn verifier(&self) -> [u8; 32] {
        *self.derive("verifier", "").expose()
    }

    /// Refuses a root key that is not the one `verifier` was made with. Call it before anything else.
    pub fn check(&self, verifier: &[u8]) -> Result<(), WrongRootKey> {
        if equal(&self.verifier(), verifier) { Ok(()) } else { Err(WrongRootKey) }
    }

    fn derive(&self, kind: &str, name: &str) -> SecretKey {
        SecretKey::init_with(|out| {
            let info: [&[u8]; 3] = [kind.as_bytes(), &[0], name.as_bytes()];
            hazmat::hkdf_sha256(SALT, self.0.expose(), &info, out);
        })
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(byte: u8) -> RootKey {
        RootKey::from_bytes(&[byte; 32]).unwrap()
    }

    #[test]
    fn one_root_key_has_many_spellings() {
        for text in [
            "fbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfb\n",
            " FBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFB",
            "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=",
            "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s",
            "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s",
        ] {
            assert_eq!(RootKey::from_text(text).unwrap().verifier(), root(0xfb).verifier(), "{text}");
        }
        for text in ["", "secret", "fbfb", &"x".repeat(64), &"f".repeat(62), &"A".repeat(42)] {
            assert_eq!(RootKey::from_text(text).err(), Some(RootKeyError), "{text}");
        }
    }

    #[test]
    fn a_wrong_root_key_is_refused() {
        assert_eq!(root(1).check(&root(1).verifier()), Ok(()));
        assert_eq!(root(2).check(&root(1).verifier()), Err(WrongRootKey));
        assert_eq!(root(1).check(b""), Err(WrongRootKey));
    }

    #[test]
    fn what_is_derived_differs_by_purpose_and_never_changes() {
        let root = root(1);
        assert_ne!(root.derive_secret("a").expose(), root.derive_secret("b").expose());
        assert_ne!(root.derive_secret("").expose(), &root.verifier());
        // Stored data depends on these, which Python's hmac computed: a change locks every installation out.
        let verifier = "8ba9721baddb141df6ab0fa319c86fa860e6073e7a5fc71952a9925ac8eb9850";
        assert_eq!(hex::encode(root.verifier()), verifier);
        let blinded = "24670a8324d4c6f285d9080422e3cc78a5f3c5f9b8a6bf74d75e247185b807d5";
        assert_eq!(hex::encode(root.derive_index_key().blind("email", b"ann@example.com")), blinded);
    }
}
