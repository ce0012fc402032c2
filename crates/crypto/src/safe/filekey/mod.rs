//! File keys: RSA pairs whose public half wraps content keys and whose private half the KMS guards.
//!
//! Wrapping is RSAES-OAEP with SHA-256, MGF1 SHA-256 and an empty label (RFC 8017, section 7.1), the one
//! form that every client of the file contract knows. Keys have 2048, 3072 or 4096 bits. Text forms: the
//! public half as PEM `SubjectPublicKeyInfo`, the private half as PEM PKCS#1, as the contract wants it;
//! between services and at rest the private half is PKCS#8 DER.
//!
//! Pairs and OAEP seeds come from the engine's own random source: it takes no other.

mod error;
mod pem;
#[cfg(test)]
mod tests;

use std::fmt;

use coffer_core::SecretBytes;
use zeroize::Zeroizing;

use crate::hazmat::{RsaPrivate, RsaPublic};

pub use error::{KeyFormatError, OaepRefused, TooLong};
pub use pem::pkcs8_der_to_pkcs1_pem;

/// Bytes that OAEP with SHA-256 takes of the modulus: two hashes and two bytes.
pub const OAEP_OVERHEAD_BYTES: usize = 2 * 32 + 2;

/// Size of an RSA modulus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RsaBits {
    /// 2048 bits, the contract's size.
    #[default]
    Rsa2048,
    /// 3072 bits.
    Rsa3072,
    /// 4096 bits.
    Rsa4096,
}

impl RsaBits {
    /// The size in bits.
    #[must_use]
    pub const fn bits(self) -> u16 {
        match self {
            Self::Rsa2048 => 2048,
            Self::Rsa3072 => 3072,
            Self::Rsa4096 => 4096,
        }
    }

    /// The size with this many bits, if there is one.
    #[must_use]
    pub const fn from_bits(bits: usize) -> Option<Self> {
        match bits {
            2048 => Some(Self::Rsa2048),
            3072 => Some(Self::Rsa3072),
            4096 => Some(Self::Rsa4096),
            _ => None,
        }
    }
}

/// A pair just made.
pub struct FileKeyPair {
    private: PrivateKey,
    public: PublicKey,
}

impl FileKeyPair {
    /// A new pair. Takes 50 ms and more of one core: keep a pool of them ahead of need.
    #[must_use]
    pub fn generate(bits: RsaBits) -> Self {
        let private = PrivateKey(RsaPrivate::generate(bits));
        let public = private.public_key();
        Self { private, public }
    }

    /// The private half.
    #[must_use]
    pub fn private(&self) -> &PrivateKey {
        &self.private
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The public half as PEM, `BEGIN PUBLIC KEY`.
    #[must_use]
    pub fn public_key_pem_spki(&self) -> String {
        self.public.to_pem()
    }

    /// The private half as PEM, `BEGIN RSA PRIVATE KEY`.
    #[must_use]
    pub fn private_key_pkcs1_pem(&self) -> Zeroizing<String> {
        self.private.to_pkcs1_pem()
    }

    /// The private half as PKCS#8 DER.
    #[must_use]
    pub fn private_key_pkcs8_der(&self) -> SecretBytes {
        self.private.to_pkcs8_der()
    }
}

/// A private half, parsed; keep it to open many.
pub struct PrivateKey(RsaPrivate);

impl PrivateKey {
    /// The key in a PKCS#8 DER document.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyFormatError> {
        let key = RsaPrivate::from_pkcs8(der).map_err(|_| KeyFormatError::Key)?;
        RsaBits::from_bits(key.bits()).ok_or(KeyFormatError::Size(key.bits()))?;
        Ok(Self(key))
    }

    /// The key in a PEM text, PKCS#1 (`BEGIN RSA PRIVATE KEY`) or PKCS#8 (`BEGIN PRIVATE KEY`).
    pub fn from_pem(text: &str) -> Result<Self, KeyFormatError> {
        Self::from_pkcs8_der(pem::private_pem_to_pkcs8(text)?.as_bytes())
    }

    /// The key as PKCS#8 DER.
    #[must_use]
    pub fn to_pkcs8_der(&self) -> SecretBytes {
        self.0.to_pkcs8()
    }

    /// The key as PEM, `BEGIN RSA PRIVATE KEY` (PKCS#1, RFC 8017, appendix A.1.2).
    #[must_use]
    pub fn to_pkcs1_pem(&self) -> Zeroizing<String> {
        pkcs8_der_to_pkcs1_pem(self.to_pkcs8_der().expose()).expect("the engine writes PKCS#8")
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.public())
    }

    /// The size of the key.
    #[must_use]
    pub fn bits(&self) -> RsaBits {
        RsaBits::from_bits(self.0.bits()).expect("checked when the key was read")
    }

    /// Opens what [`PublicKey::seal_oaep_sha256`] sealed. The refusal says nothing of the reason (RFC 8017,
    /// section 7.1.2, note), and the engine takes the same time for all of them.
    pub fn open_oaep_sha256(&self, ciphertext: &[u8]) -> Result<SecretBytes, OaepRefused> {
        self.0.open_oaep_sha256(ciphertext).map_err(|_| OaepRefused)
    }
}

/// A public half, parsed; keep it to seal many.
pub struct PublicKey(RsaPublic);

impl PublicKey {
    /// The key in a PEM text, `BEGIN PUBLIC KEY`.
    pub fn from_pem(text: &str) -> Result<Self, KeyFormatError> {
        Self::from_spki_der(pem::public_pem_to_spki(text)?.as_bytes())
    }

    /// The key in a DER `SubjectPublicKeyInfo`.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyFormatError> {
        let key = RsaPublic::from_spki(der).map_err(|_| KeyFormatError::Key)?;
        RsaBits::from_bits(key.bits()).ok_or(KeyFormatError::Size(key.bits()))?;
        Ok(Self(key))
    }

    /// The key as PEM, `BEGIN PUBLIC KEY`.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::spki_to_pem(&self.to_spki_der())
    }

    /// The key as a DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn to_spki_der(&self) -> Vec<u8> {
        self.0.to_spki()
    }

    /// The size of the key.
    #[must_use]
    pub fn bits(&self) -> RsaBits {
        RsaBits::from_bits(self.0.bits()).expect("checked when the key was read")
    }

    /// Seals up to (size of the key in bytes) − [`OAEP_OVERHEAD_BYTES`] bytes for whoever has the private half.
    pub fn seal_oaep_sha256(&self, plaintext: &[u8]) -> Result<Vec<u8>, TooLong> {
        self.0.seal_oaep_sha256(plaintext).map_err(|_| TooLong)
    }
}

impl fmt::Debug for FileKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileKeyPair({} bits, redacted)", self.public.bits().bits())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({} bits, redacted)", self.bits().bits())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} bits)", self.bits().bits())
    }
}
