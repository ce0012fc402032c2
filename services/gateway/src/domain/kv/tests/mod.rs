//! The key-value store, tried on memory where the back end does not matter and on all back ends where it may.

mod bed;
mod listing;
mod values;
