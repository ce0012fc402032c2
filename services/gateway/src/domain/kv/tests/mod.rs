//! The key-value store, tried on memory where the back end does not matter and on all back ends where it may.

mod batches;
pub(crate) mod bed;
mod changing;
mod costs;
mod history;
mod listing;
mod model;
mod sharing;
mod trash;
mod values;
