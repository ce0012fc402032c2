//! The key-value store, native.

pub(in crate::routes) mod batch;
pub(in crate::routes) mod changes;
mod condition;
mod desk;
pub(in crate::routes) mod history;
pub(in crate::routes) mod items;
mod owners;
pub(in crate::routes) mod sharing;
pub(in crate::routes) mod trash;
pub(in crate::routes) mod value;
pub(in crate::routes) mod watch;
mod wire;

pub(crate) use owners::Owners;
pub(in crate::routes) use wire::diff;
