//! The KMS: who you are and which key opens what.
//!
//! `domain` holds the rules, over a clock, a random source and the record store; it knows no HTTP.
//! `repo` turns its types into keys and sealed bytes. `routes` translates HTTP: the file contract, the
//! native surface and the internal one stand beside each other over the same domain. [`config`] is every
//! setting.

pub mod config;
pub mod domain;
mod failures;
pub mod foundation;
mod operator;
pub mod repo;
mod routes;
mod service;

pub use operator::AdminCommand;
pub use service::{KmsCommand, KmsService, build};
