//! The native surface.

pub(super) mod usage;
