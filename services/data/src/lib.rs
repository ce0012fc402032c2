//! The data service: ciphertext and nothing else.

mod base64;
pub mod domain;
mod repo;
