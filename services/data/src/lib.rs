//! The data service: ciphertext and nothing else.
//!
//! `domain` holds what it does, over the record store, the blob store and the KMS behind a port; it knows
//! no HTTP. `repo` turns files into keys and sealed bytes. `routes` translates HTTP: the file contract, the
//! native surface and the internal one stand beside each other over the same domain.

mod base64;
pub mod config;
pub mod domain;
mod failures;
mod kms;
pub mod repo;
mod routes;
mod service;

#[cfg(test)]
mod http_tests;

pub use service::{DataService, build};
