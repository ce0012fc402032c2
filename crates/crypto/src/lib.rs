//! Everything cryptographic in Coffer: keyrings, the root key, file keys and the two envelopes.
//!
//! The modules here are *safe*: they choose algorithms, draw nonces, bind what they seal to its place
//! and refuse without saying why. The primitives below them are private (`hazmat`) and come from one
//! of two engines with the same functions: AWS-LC (feature `aws-lc`, the default) or RustCrypto
//! (feature `portable`). With both, AWS-LC is used. A test build holds both and tries each against the
//! other, so what one engine seals the other opens.
//!
//! Not here: password hashes of accounts (`coffer-auth`), TLS, and where anything is stored.

mod hazmat;
mod safe;
#[cfg(feature = "testing")]
pub mod testing;

pub use safe::equal::equal;
pub use safe::{classic, envelope, filekey, hash, index, keyring, mac, root, space, stream};

/// The engine that this build uses, by name.
pub const ENGINE: &str = if cfg!(feature = "aws-lc") { "AWS-LC" } else { "RustCrypto" };
