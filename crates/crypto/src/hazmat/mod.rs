//! The primitives, from one of two engines with the same functions. Private: nothing here stops a
//! caller from using a nonce twice or from trusting what was not authenticated; `safe` does.
//!
//! A trait over the engines was not taken: there is only ever one per build, and plain modules with
//! the same items let the compiler check the same thing without generics in every signature above.

#[cfg(not(any(feature = "aws-lc", feature = "portable")))]
compile_error!("coffer-crypto needs an engine: enable the feature `aws-lc` (the default) or `portable`");

#[cfg(feature = "aws-lc")]
mod aws_lc;
#[cfg(any(test, all(feature = "portable", not(feature = "aws-lc"))))]
mod portable;
#[cfg(test)]
mod tests;
mod xaes;

#[cfg(feature = "aws-lc")]
use aws_lc as engine;
#[cfg(all(feature = "portable", not(feature = "aws-lc")))]
use portable as engine;

#[cfg(any(feature = "aws-lc", feature = "portable"))]
pub(crate) use engine::{
    Aes256, Aes256Gcm, HmacSha256, RsaPrivate, RsaPublic, cbc_decrypt, cbc_encrypt, hkdf_sha256,
    pbkdf2_hmac_sha256, sha256,
};
#[cfg(test)]
pub(crate) use portable::seal_oaep_sha256_with;
pub(crate) use xaes::{XAES_NONCE_BYTES, Xaes256Gcm};

/// A primitive refused its input. It never says why: the reason would help only whoever made the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

/// Bytes of an AES block and of an AES-CBC initial vector.
pub(crate) const BLOCK_BYTES: usize = 16;
/// Bytes of an AES-GCM nonce (SP 800-38D, section 8.2).
pub(crate) const GCM_NONCE_BYTES: usize = 12;
/// Bytes of an AES-GCM tag. Shorter tags are never accepted (SP 800-38D, appendix C).
pub(crate) const TAG_BYTES: usize = 16;
