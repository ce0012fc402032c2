use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, EncryptingKey, EncryptionContext, PaddedBlockDecryptingKey,
    PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;

use crate::hazmat::{BLOCK_BYTES, GCM_NONCE_BYTES, Refused, TAG_BYTES};

/// AES-256-GCM (SP 800-38D).
pub(crate) struct Aes256Gcm(LessSafeKey);

impl Aes256Gcm {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("AES-256-GCM takes every 32-byte key");
        Self(LessSafeKey::new(key))
    }

    /// Seals in place. The nonce must never have sealed anything else under this key.
    pub(crate) fn seal(
        &self,
        nonce: &[u8; GCM_NONCE_BYTES],
        aad: &[u8],
        in_out: &mut [u8],
    ) -> [u8; TAG_BYTES] {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), in_out);
        let tag = tag.expect("AES-256-GCM seals whatever is shorter than 64 GiB");
        tag.as_ref().try_into().expect("an AES-256-GCM tag has 16 bytes")
    }

    /// Opens in place. After a refusal `in_out` holds nothing of the plaintext that may be used.
    pub(crate) fn open(
        &self,
        nonce: &[u8; GCM_NONCE_BYTES],
        aad: &[u8],
        in_out: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), Refused> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_in_place_separate_tag(nonce, Aad::from(aad), tag, in_out);
        opened.map(|_| ()).map_err(|_| Refused)
    }
}

/// AES-256 on single blocks (FIPS 197).
pub(crate) struct Aes256(EncryptingKey);

impl Aes256 {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(EncryptingKey::ecb(cipher_key(key)).expect("AES-256 has an ECB mode"))
    }

    /// Encrypts each block on its own. `blocks` is a whole number of blocks.
    pub(crate) fn encrypt_blocks(&self, blocks: &mut [u8]) {
        self.0.less_safe_encrypt(blocks, EncryptionContext::None).expect("whole blocks encrypt");
    }
}

/// AES-256-CBC with PKCS#7 padding (SP 800-38A, RFC 5652). Not authenticated.
pub(crate) fn cbc_encrypt(key: &[u8; 32], iv: &[u8; BLOCK_BYTES], in_out: &mut Vec<u8>) {
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(cipher_key(key)).expect("AES-256 has a CBC mode");
    let context = EncryptionContext::Iv128(FixedLength::from(*iv));
    key.less_safe_encrypt(in_out, context).expect("padded data encrypts");
}

/// Undoes [`cbc_encrypt`]. The answer depends on the padding; see the obligations in `classic`.
pub(crate) fn cbc_decrypt(
    key: &[u8; 32],
    iv: &[u8; BLOCK_BYTES],
    in_out: &mut Vec<u8>,
) -> Result<(), Refused> {
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(cipher_key(key)).expect("AES-256 has a CBC mode");
    let context = DecryptionContext::Iv128(FixedLength::from(*iv));
    let plaintext_bytes = key.decrypt(in_out, context).map_err(|_| Refused)?.len();
    in_out.truncate(plaintext_bytes);
    Ok(())
}

fn cipher_key(key: &[u8; 32]) -> UnboundCipherKey {
    UnboundCipherKey::new(&AES_256, key).expect("AES-256 takes every 32-byte key")
}
