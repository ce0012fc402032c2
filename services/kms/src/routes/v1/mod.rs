//! The native surface.

pub(super) mod log_in;
pub(super) mod passwords;
pub(super) mod registrations;
pub(super) mod sessions;
pub(super) mod users;
pub(super) mod wire;
