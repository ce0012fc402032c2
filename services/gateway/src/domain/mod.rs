//! What the gateway does, without HTTP.

pub mod configs;
pub mod kms;
pub mod kv;
pub mod usage;
pub mod vault;
