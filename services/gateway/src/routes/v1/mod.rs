//! The native surface.

pub(super) mod configs;
pub(super) mod events;
pub(super) mod kv;
pub(super) mod usage;
