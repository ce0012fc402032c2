use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey,
};
use coffer_core::SecretBytes;

use crate::filekey::RsaBits;
use crate::hazmat::Refused;

/// An RSA private key, parsed and ready. Opening is blinded and shares nothing mutable between threads.
pub(crate) struct RsaPrivate {
    key: PrivateDecryptingKey,
    oaep: OaepPrivateDecryptingKey,
}

impl RsaPrivate {
    /// A new key pair. AWS-LC draws from its own random source, which nothing can replace.
    pub(crate) fn generate(bits: RsaBits) -> Self {
        let size = match bits {
            RsaBits::Rsa2048 => KeySize::Rsa2048,
            RsaBits::Rsa3072 => KeySize::Rsa3072,
            RsaBits::Rsa4096 => KeySize::Rsa4096,
        };
        let key = PrivateDecryptingKey::generate(size).expect("RSA key generation ends in a key");
        Self::new(key).expect("a generated key is usable")
    }

    /// The key in a PKCS#8 document.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, Refused> {
        Self::new(PrivateDecryptingKey::from_pkcs8(der).map_err(|_| Refused)?)
    }

    fn new(key: PrivateDecryptingKey) -> Result<Self, Refused> {
        // `OaepPrivateDecryptingKey` takes the key over and gives nothing back; a clone shares it.
        let oaep = OaepPrivateDecryptingKey::new(key.clone()).map_err(|_| Refused)?;
        Ok(Self { key, oaep })
    }

    pub(crate) fn to_pkcs8(&self) -> SecretBytes {
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&self.key).expect("a parsed RSA key has a PKCS#8 form");
        SecretBytes::new(der.as_ref().to_vec())
    }

    pub(crate) fn public(&self) -> RsaPublic {
        RsaPublic::new(self.key.public_key()).expect("the public half of a usable key is usable")
    }

    pub(crate) fn bits(&self) -> usize {
        self.key.key_size_bits()
    }

    /// RSAES-OAEP-DECRYPT (RFC 8017, section 7.1.2) with SHA-256, MGF1 SHA-256 and an empty label.
    pub(crate) fn open_oaep_sha256(&self, ciphertext: &[u8]) -> Result<SecretBytes, Refused> {
        let mut plaintext = zeroize::Zeroizing::new(vec![0; self.oaep.min_output_size()]);
        let opened = self.oaep.decrypt(&OAEP_SHA256_MGF1SHA256, ciphertext, &mut plaintext, None);
        opened.map(|plaintext| SecretBytes::new(plaintext.to_vec())).map_err(|_| Refused)
    }
}

/// An RSA public key, parsed and ready.
pub(crate) struct RsaPublic {
    key: PublicEncryptingKey,
    oaep: OaepPublicEncryptingKey,
}

impl RsaPublic {
    /// The key in a DER `SubjectPublicKeyInfo`.
    pub(crate) fn from_spki(der: &[u8]) -> Result<Self, Refused> {
        Self::new(PublicEncryptingKey::from_der(der).map_err(|_| Refused)?)
    }

    fn new(key: PublicEncryptingKey) -> Result<Self, Refused> {
        let oaep = OaepPublicEncryptingKey::new(key.clone()).map_err(|_| Refused)?;
        Ok(Self { key, oaep })
    }

    pub(crate) fn to_spki(&self) -> Vec<u8> {
        let der = AsDer::<PublicKeyX509Der<'_>>::as_der(&self.key);
        der.expect("a parsed RSA key has an SPKI form").as_ref().to_vec()
    }

    pub(crate) fn bits(&self) -> usize {
        self.key.key_size_bits()
    }

    /// RSAES-OAEP-ENCRYPT (RFC 8017, section 7.1.1) with SHA-256, MGF1 SHA-256 and an empty label.
    pub(crate) fn seal_oaep_sha256(&self, plaintext: &[u8]) -> Result<Vec<u8>, Refused> {
        let mut ciphertext = vec![0; self.oaep.ciphertext_size()];
        let sealed = self.oaep.encrypt(&OAEP_SHA256_MGF1SHA256, plaintext, &mut ciphertext, None);
        let sealed_bytes = sealed.map_err(|_| Refused)?.len();
        ciphertext.truncate(sealed_bytes);
        Ok(ciphertext)
    }
}
