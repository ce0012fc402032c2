use std::convert::Infallible;

use coffer_core::{Random, SecretBytes, SystemRandom};
use pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::traits::PublicKeyParts;
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use sha2::Sha256;

use crate::filekey::RsaBits;
use crate::hazmat::Refused;

/// An RSA private key, parsed and ready.
pub(crate) struct RsaPrivate(RsaPrivateKey);

impl RsaPrivate {
    /// A new key pair.
    pub(crate) fn generate(bits: RsaBits) -> Self {
        let key = RsaPrivateKey::new(&mut Rng(&SystemRandom), usize::from(bits.bits()));
        Self(key.expect("RSA key generation ends in a key"))
    }

    /// The key in a PKCS#8 document.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, Refused> {
        RsaPrivateKey::from_pkcs8_der(der).map(Self).map_err(|_| Refused)
    }

    pub(crate) fn to_pkcs8(&self) -> SecretBytes {
        let der = self.0.to_pkcs8_der().expect("a parsed RSA key has a PKCS#8 form");
        SecretBytes::new(der.as_bytes().to_vec())
    }

    pub(crate) fn public(&self) -> RsaPublic {
        RsaPublic(self.0.to_public_key())
    }

    pub(crate) fn bits(&self) -> usize {
        self.0.size() * 8
    }

    /// RSAES-OAEP-DECRYPT (RFC 8017, section 7.1.2) with SHA-256, MGF1 SHA-256 and an empty label.
    pub(crate) fn open_oaep_sha256(&self, ciphertext: &[u8]) -> Result<SecretBytes, Refused> {
        let opened = self.0.decrypt_blinded(&mut Rng(&SystemRandom), Oaep::<Sha256>::new(), ciphertext);
        opened.map(SecretBytes::new).map_err(|_| Refused)
    }
}

/// An RSA public key, parsed and ready.
pub(crate) struct RsaPublic(RsaPublicKey);

impl RsaPublic {
    /// The key in a DER `SubjectPublicKeyInfo`.
    pub(crate) fn from_spki(der: &[u8]) -> Result<Self, Refused> {
        RsaPublicKey::from_public_key_der(der).map(Self).map_err(|_| Refused)
    }

    pub(crate) fn to_spki(&self) -> Vec<u8> {
        self.0.to_public_key_der().expect("a parsed RSA key has an SPKI form").into_vec()
    }

    pub(crate) fn bits(&self) -> usize {
        self.0.size() * 8
    }

    /// RSAES-OAEP-ENCRYPT (RFC 8017, section 7.1.1) with SHA-256, MGF1 SHA-256 and an empty label.
    pub(crate) fn seal_oaep_sha256(&self, plaintext: &[u8]) -> Result<Vec<u8>, Refused> {
        self.0.encrypt(&mut Rng(&SystemRandom), Oaep::<Sha256>::new(), plaintext).map_err(|_| Refused)
    }
}

/// OAEP with a seed from `random`, for test vectors: the same again each time.
#[cfg(test)]
pub(crate) fn seal_oaep_sha256_with(random: &dyn Random, spki: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let key = RsaPublicKey::from_public_key_der(spki).unwrap();
    key.encrypt(&mut Rng(random), Oaep::<Sha256>::new(), plaintext).unwrap()
}

/// Coffer's random source in the clothes that the `rsa` crate asks for.
struct Rng<'a>(&'a dyn Random);

impl TryRng for Rng<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Rng<'_> {}
