//! What the gateway does, without HTTP.

pub mod configs;
pub mod gate;
mod json;
pub mod kms;
pub mod kv;
pub mod usage;
pub mod vault;
