use std::num::NonZeroU32;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// A key of HMAC-SHA256 (RFC 2104).
pub(crate) struct HmacSha256(Hmac<Sha256>);

impl HmacSha256 {
    pub(crate) fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of every length"))
    }

    /// The code of the parts, one after the other with nothing in between.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = self.0.clone();
        for part in parts {
            context.update(part);
        }
        context.finalize().into_bytes().into()
    }
}

/// SHA-256 of the parts, one after the other with nothing in between.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Sha256::new();
    for part in parts {
        context.update(part);
    }
    context.finalize().into()
}

/// HKDF-SHA256 (RFC 5869), 32 bytes of output.
pub(crate) fn hkdf_sha256(salt: &[u8], secret: &[u8], info: &[&[u8]], out: &mut [u8; 32]) {
    let prk = Hkdf::<Sha256>::new(Some(salt), secret);
    prk.expand_multi_info(info, out).expect("HKDF-SHA256 gives up to 8,160 bytes");
}

/// PBKDF2-HMAC-SHA256 (RFC 8018).
pub(crate) fn pbkdf2_hmac_sha256(password: &[u8], salt: &[u8], iterations: NonZeroU32, out: &mut [u8; 32]) {
    pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations.get(), out);
}
