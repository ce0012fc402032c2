//! The RustCrypto crates, for targets where C cannot be built. Slower; and the `rsa` crate was open to a
//! timing attack on the private key (RUSTSEC-2023-0071), against which its hardening goes on. So here RSA
//! opening is blinded, and a server that strangers can time is better built with AWS-LC.

mod aead;
mod hash;
mod rsa;

pub(crate) use aead::{Aes256, Aes256Gcm, cbc_decrypt, cbc_encrypt};
pub(crate) use hash::{HmacSha256, hkdf_sha256, pbkdf2_hmac_sha256, sha256};
#[cfg(test)]
pub(crate) use rsa::seal_oaep_sha256_with;
pub(crate) use rsa::{RsaPrivate, RsaPublic};
