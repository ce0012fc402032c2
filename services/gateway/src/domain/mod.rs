//! What the gateway does, without HTTP.

pub mod kv;
pub mod usage;
