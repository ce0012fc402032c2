//! The RustCrypto crates, for targets where C cannot be built. Slower, and its RSA opening is blinded
//! but not proven constant in time (RUSTSEC-2023-0071): do not offer it to the network at scale.

mod aead;
mod hash;
mod rsa;

pub(crate) use aead::{Aes256, Aes256Gcm, cbc_decrypt, cbc_encrypt};
pub(crate) use hash::{HmacSha256, hkdf_sha256, pbkdf2_hmac_sha256, sha256};
#[cfg(test)]
pub(crate) use rsa::seal_oaep_sha256_with;
pub(crate) use rsa::{RsaPrivate, RsaPublic};
