//! The native surface.

pub(super) mod kv;
pub(super) mod usage;
