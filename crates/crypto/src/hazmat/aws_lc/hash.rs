use std::num::NonZeroU32;

use aws_lc_rs::{digest, hkdf, hmac, pbkdf2};

/// A key of HMAC-SHA256 (RFC 2104).
pub(crate) struct HmacSha256(hmac::Key);

impl HmacSha256 {
    pub(crate) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The code of the parts, one after the other with nothing in between.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        context.sign().as_ref().try_into().expect("HMAC-SHA256 gives 32 bytes")
    }
}

/// SHA-256 of the parts, one after the other with nothing in between.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    context.finish().as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// HKDF-SHA256 (RFC 5869), 32 bytes of output.
pub(crate) fn hkdf_sha256(salt: &[u8], secret: &[u8], info: &[&[u8]], out: &mut [u8; 32]) {
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    let okm = prk.expand(info, hkdf::HKDF_SHA256).expect("HKDF-SHA256 gives up to 8,160 bytes");
    okm.fill(out).expect("32 bytes were asked for");
}

/// PBKDF2-HMAC-SHA256 (RFC 8018).
pub(crate) fn pbkdf2_hmac_sha256(password: &[u8], salt: &[u8], iterations: NonZeroU32, out: &mut [u8; 32]) {
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, password, out);
}
