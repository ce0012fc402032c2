//! Encrypted configurations, native.

pub(in crate::routes) mod batch;
pub(in crate::routes) mod history;
pub(in crate::routes) mod items;
pub(in crate::routes) mod schema;
pub(in crate::routes) mod transfer;
pub(in crate::routes) mod unread;
pub(in crate::routes) mod value;
pub(in crate::routes) mod watch;
mod wire;
