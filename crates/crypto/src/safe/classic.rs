//! The classic envelope of the file contract: AES-256-CBC with PKCS#7 padding under a fresh key and IV,
//! both sealed with RSA-OAEP for a file key.
//!
//! **It authenticates nothing.** Whoever can write to the storage can change bits of a plaintext or
//! replace the whole envelope, and nobody can tell. It exists because the contract's clients write it;
//! for everything else there is envelope v1.
//!
//! Opening says only that it failed, never where, so a careful caller gives no padding oracle away. A
//! service that opened for strangers and let them time it still would; in Coffer only clients open
//! classic envelopes, and only their own user sees the answer.

use std::fmt;

use coffer_core::{Random, SecretBytes, SecretKey, make_secret_key};

use crate::filekey::{PrivateKey, PublicKey};
use crate::hazmat::{self, BLOCK_BYTES};

/// The three byte strings that travel, each as base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassicEnvelope {
    /// AES-256-CBC of the padded plaintext.
    pub encrypted_data: Vec<u8>,
    /// RSA-OAEP of the 32-byte key.
    pub encrypted_key: Vec<u8>,
    /// RSA-OAEP of the 16-byte IV.
    pub encrypted_iv: Vec<u8>,
}

/// The key and the IV of one classic envelope. **They must never seal two plaintexts.**
pub struct ContentKey {
    key: SecretKey,
    iv: SecretBytes,
}

/// A classic envelope does not open: wrong file key, or changed bytes. Nobody learns which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the classic envelope does not open with this file key")]
pub struct ClassicRefused;

/// Seals `plaintext` for the holder of the private half of `recipient`, under a fresh key and IV.
#[must_use]
pub fn seal(random: &dyn Random, recipient: &PublicKey, plaintext: &[u8]) -> ClassicEnvelope {
    let mut iv = vec![0; BLOCK_BYTES];
    random.fill(&mut iv);
    let content = ContentKey { key: make_secret_key(random), iv: SecretBytes::new(iv) };
    let wrap = |bytes| recipient.seal_oaep_sha256(bytes).expect("48 bytes and less fit every file key");
    ClassicEnvelope {
        encrypted_data: content.encrypt(plaintext),
        encrypted_key: wrap(content.key.expose()),
        encrypted_iv: wrap(content.iv.expose()),
    }
}

/// Opens an envelope with the private half of its file key.
pub fn open(key: &PrivateKey, envelope: &ClassicEnvelope) -> Result<SecretBytes, ClassicRefused> {
    ContentKey::unwrap(key, &envelope.encrypted_key, &envelope.encrypted_iv)?.open(&envelope.encrypted_data)
}

impl ContentKey {
    /// The content key with these bytes, as a KMS that unwraps without exporting gives them: 32 of key, 16 of IV.
    pub fn from_bytes(key: &[u8], iv: &[u8]) -> Result<Self, ClassicRefused> {
        let (key, iv): (&[u8; 32], &[u8; BLOCK_BYTES]) =
            (key.try_into().map_err(|_| ClassicRefused)?, iv.try_into().map_err(|_| ClassicRefused)?);
        Ok(Self {
            key: SecretKey::init_with(|own| own.copy_from_slice(key)),
            iv: SecretBytes::new(iv.to_vec()),
        })
    }

    /// Opens the two wrapped fields of an envelope.
    pub fn unwrap(
        key: &PrivateKey,
        encrypted_key: &[u8],
        encrypted_iv: &[u8],
    ) -> Result<Self, ClassicRefused> {
        // Both are opened whatever comes of the first: a refusal takes the same time either way.
        let (key, iv) = (key.open_oaep_sha256(encrypted_key), key.open_oaep_sha256(encrypted_iv));
        let (key, iv) = (key.map_err(|_| ClassicRefused)?, iv.map_err(|_| ClassicRefused)?);
        Self::from_bytes(key.expose(), iv.expose())
    }

    /// The key, to be handed to whoever may open the envelope.
    #[must_use]
    pub fn key(&self) -> &SecretKey {
        &self.key
    }

    /// The IV, likewise.
    #[must_use]
    pub fn iv(&self) -> &[u8] {
        self.iv.expose()
    }

    /// Opens the envelope's data.
    pub fn open(&self, encrypted_data: &[u8]) -> Result<SecretBytes, ClassicRefused> {
        let mut data = encrypted_data.to_vec();
        let opened = hazmat::cbc_decrypt(self.key.expose(), self.iv_block(), &mut data);
        let data = SecretBytes::new(data);
        opened.map(|()| data).map_err(|_| ClassicRefused)
    }

    fn encrypt(&self, plaintext: &[u8]) -> Vec<u8> {
        let mut data = Vec::with_capacity(plaintext.len() + BLOCK_BYTES);
        data.extend_from_slice(plaintext);
        hazmat::cbc_encrypt(self.key.expose(), self.iv_block(), &mut data);
        data
    }

    fn iv_block(&self) -> &[u8; BLOCK_BYTES] {
        self.iv.expose().try_into().expect("checked when the IV was taken over")
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use coffer_core::SystemRandom;

    use super::*;
    use crate::filekey::{FileKeyPair, RsaBits};

    static PAIR: LazyLock<FileKeyPair> = LazyLock::new(|| FileKeyPair::generate(RsaBits::Rsa2048));

    #[test]
    fn a_file_of_any_size_survives_its_envelope() {
        for bytes in [0, 1, 15, 16, 17, 4096, 100_001] {
            let plaintext = vec![0xa5; bytes];
            let envelope = seal(&SystemRandom, PAIR.public(), &plaintext);
            assert_eq!(envelope.encrypted_data.len(), (bytes / 16 + 1) * 16);
            assert_eq!(open(PAIR.private(), &envelope).unwrap().expose(), plaintext);
        }
    }

    #[test]
    fn two_envelopes_of_one_file_share_nothing() {
        let [a, b] = [0, 1].map(|_| seal(&SystemRandom, PAIR.public(), b"the same file"));
        assert_ne!(a.encrypted_data, b.encrypted_data);
        assert_ne!((a.encrypted_key, a.encrypted_iv), (b.encrypted_key, b.encrypted_iv));
    }

    #[test]
    fn every_failure_looks_the_same() {
        let envelope = seal(&SystemRandom, PAIR.public(), b"a file");
        let wrap = |bytes: &[u8]| PAIR.public().seal_oaep_sha256(bytes).unwrap();
        let changed = |change: &dyn Fn(&mut ClassicEnvelope)| {
            let mut envelope = envelope.clone();
            change(&mut envelope);
            open(PAIR.private(), &envelope).err()
        };
        for change in [
            &|e: &mut ClassicEnvelope| e.encrypted_key[9] ^= 1,
            &|e| e.encrypted_iv[9] ^= 1,
            &|e| e.encrypted_key = wrap(&[1; 31]),
            &|e| e.encrypted_iv = wrap(&[1; 17]),
            &|e| e.encrypted_data.truncate(15),
            &|e| e.encrypted_data.clear(),
        ] as [&dyn Fn(&mut ClassicEnvelope); 6]
        {
            assert_eq!(changed(change), Some(ClassicRefused));
        }
    }

    #[test]
    fn wrong_padding_is_refused() {
        let content = ContentKey::from_bytes(&[1; 32], &[2; 16]).unwrap();
        // The same bytes without their own padding: 16 zero bytes end in no valid padding.
        let mut data = content.encrypt(&[0; 16]);
        data.truncate(16);
        assert_eq!(content.open(&data).err(), Some(ClassicRefused));
    }
}
