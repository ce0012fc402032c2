use aes_gcm::aead::AeadInOut;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, KeyInit, KeyIvInit};

use crate::hazmat::{BLOCK_BYTES, GCM_NONCE_BYTES, Refused, TAG_BYTES};

/// AES-256-GCM (SP 800-38D).
pub(crate) struct Aes256Gcm(aes_gcm::Aes256Gcm);

impl Aes256Gcm {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(aes_gcm::Aes256Gcm::new(key.into()))
    }

    /// Seals in place. The nonce must never have sealed anything else under this key.
    pub(crate) fn seal(
        &self,
        nonce: &[u8; GCM_NONCE_BYTES],
        aad: &[u8],
        in_out: &mut [u8],
    ) -> [u8; TAG_BYTES] {
        let tag = self.0.encrypt_inout_detached(nonce.into(), aad, in_out.into());
        tag.expect("AES-256-GCM seals whatever is shorter than 64 GiB").into()
    }

    /// Opens in place. After a refusal `in_out` holds nothing of the plaintext that may be used.
    pub(crate) fn open(
        &self,
        nonce: &[u8; GCM_NONCE_BYTES],
        aad: &[u8],
        in_out: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), Refused> {
        self.0.decrypt_inout_detached(nonce.into(), aad, in_out.into(), tag.into()).map_err(|_| Refused)
    }
}

/// AES-256 on single blocks (FIPS 197).
pub(crate) struct Aes256(aes::Aes256);

impl Aes256 {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(aes::Aes256::new(key.into()))
    }

    /// Encrypts each block on its own. `blocks` is a whole number of blocks.
    pub(crate) fn encrypt_blocks(&self, blocks: &mut [u8]) {
        for block in blocks.chunks_exact_mut(BLOCK_BYTES) {
            self.0.encrypt_block(block.try_into().expect("the chunk is one block"));
        }
    }
}

/// AES-256-CBC with PKCS#7 padding (SP 800-38A, RFC 5652). Not authenticated.
pub(crate) fn cbc_encrypt(key: &[u8; 32], iv: &[u8; BLOCK_BYTES], in_out: &mut Vec<u8>) {
    let plaintext_bytes = in_out.len();
    in_out.resize((plaintext_bytes / BLOCK_BYTES + 1) * BLOCK_BYTES, 0);
    let cipher = cbc::Encryptor::<aes::Aes256>::new(key.into(), iv.into());
    cipher.encrypt_padded::<Pkcs7>(in_out, plaintext_bytes).expect("there is room for the padding");
}

/// Undoes [`cbc_encrypt`]. The answer depends on the padding; see the obligations in `classic`.
pub(crate) fn cbc_decrypt(
    key: &[u8; 32],
    iv: &[u8; BLOCK_BYTES],
    in_out: &mut Vec<u8>,
) -> Result<(), Refused> {
    let cipher = cbc::Decryptor::<aes::Aes256>::new(key.into(), iv.into());
    let plaintext_bytes = cipher.decrypt_padded::<Pkcs7>(in_out).map_err(|_| Refused)?.len();
    in_out.truncate(plaintext_bytes);
    Ok(())
}
