//! The source systems' surfaces.

pub(super) mod configs;
pub(super) mod kv;
pub(super) mod people;
pub(super) mod usage;
