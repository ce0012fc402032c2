//! The source systems' surfaces.

pub(super) mod configs;
pub(super) mod kv;
mod names;
pub(super) mod people;
pub(super) mod usage;
