//! AWS-LC through `aws-lc-rs`.
//!
//! Its functions fail only on lengths that the types here already fix, or when memory runs out, so
//! those failures are `expect`ed; what depends on input comes back as [`Refused`](super::Refused).

mod aead;
mod hash;
mod rsa;

pub(crate) use aead::{Aes256, Aes256Gcm, cbc_decrypt, cbc_encrypt};
pub(crate) use hash::{HmacSha256, hkdf_sha256, pbkdf2_hmac_sha256, sha256};
pub(crate) use rsa::{RsaPrivate, RsaPublic};
