//! What the crate offers; see the crate's documentation.

pub mod classic;
pub mod envelope;
pub(crate) mod equal;
pub mod filekey;
pub mod hash;
pub mod index;
pub mod keyring;
pub mod mac;
#[cfg(test)]
mod properties;
pub mod root;
pub mod space;
pub mod stream;
