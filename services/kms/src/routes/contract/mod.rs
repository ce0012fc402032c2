//! The file contract's calls.

pub(super) mod identity;
