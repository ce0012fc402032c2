//! The source systems' surfaces.

pub(super) mod people;
