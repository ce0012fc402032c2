//! The source systems' surfaces.

pub(super) mod people;
pub(super) mod usage;
