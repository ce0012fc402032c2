//! XAES-256-GCM, <https://c2sp.org/XAES-256-GCM>: AES-256-GCM under a subkey derived from the key and
//! the first half of a 192-bit nonce. Nonces may be drawn at random for 2⁸⁰ messages under one key.
//!
//! The derivation is the counter KDF of SP 800-108r1 over AES-CMAC, whose input is always one whole
//! block; so it is two AES calls on blocks masked with the CMAC subkey K1, which is kept with the key.

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Aes256, Aes256Gcm, BLOCK_BYTES, GCM_NONCE_BYTES, Refused, TAG_BYTES};

/// Bytes of the extended nonce.
pub(crate) const XAES_NONCE_BYTES: usize = 24;

/// A key of XAES-256-GCM.
pub(crate) struct Xaes256Gcm {
    block: Aes256,
    k1: MaskBlock,
}

#[derive(Zeroize, ZeroizeOnDrop)]
struct MaskBlock([u8; BLOCK_BYTES]);

impl Xaes256Gcm {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let block = Aes256::new(key);
        let mut k1 = MaskBlock([0; BLOCK_BYTES]);
        block.encrypt_blocks(&mut k1.0);
        double(&mut k1.0);
        Self { block, k1 }
    }

    /// Seals in place. The nonce must never have sealed anything else under this key; a random one has not.
    pub(crate) fn seal(
        &self,
        nonce: &[u8; XAES_NONCE_BYTES],
        aad: &[u8],
        in_out: &mut [u8],
    ) -> [u8; TAG_BYTES] {
        let (key, gcm_nonce) = self.derive(nonce);
        key.seal(gcm_nonce, aad, in_out)
    }

    /// Opens in place. After a refusal `in_out` holds nothing of the plaintext that may be used.
    pub(crate) fn open(
        &self,
        nonce: &[u8; XAES_NONCE_BYTES],
        aad: &[u8],
        in_out: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), Refused> {
        let (key, gcm_nonce) = self.derive(nonce);
        key.open(gcm_nonce, aad, in_out, tag)
    }

    fn derive<'n>(&self, nonce: &'n [u8; XAES_NONCE_BYTES]) -> (Aes256Gcm, &'n [u8; GCM_NONCE_BYTES]) {
        let (context, gcm_nonce) =
            nonce.split_first_chunk::<GCM_NONCE_BYTES>().expect("24 bytes begin with 12");
        let mut subkey = [0; 32];
        for (counter, block) in (1..).zip(subkey.chunks_exact_mut(BLOCK_BYTES)) {
            block[..4].copy_from_slice(&[0, counter, b'X', 0]);
            block[4..].copy_from_slice(context);
            for (byte, mask) in block.iter_mut().zip(self.k1.0) {
                *byte ^= mask;
            }
        }
        self.block.encrypt_blocks(&mut subkey);
        let key = Aes256Gcm::new(&subkey);
        subkey.zeroize();
        (key, gcm_nonce.try_into().expect("24 bytes less 12 are 12"))
    }
}

/// Doubles in GF(2¹²⁸), most significant bit first (SP 800-38B, section 6.1), without branching on the value.
fn double(block: &mut [u8; BLOCK_BYTES]) {
    let value = u128::from_be_bytes(*block);
    let carry = value >> 127;
    *block = ((value << 1) ^ (carry * 0b1000_0111)).to_be_bytes();
}
