//! The gateway: the front door of Coffer.
//!
//! `domain` holds what it does, over the record store and the KMS behind a port; it knows no HTTP. `repo`
//! turns what the domain keeps into keys and sealed bytes. `routes` translates HTTP.

pub mod config;
pub mod domain;
mod failures;
mod kms;
mod memory;
pub mod repo;
mod routes;
mod service;

pub use service::{GatewayService, build};
