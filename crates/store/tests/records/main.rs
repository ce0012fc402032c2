//! The records contract, tried on every back end, and what each back end promises beyond it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and says where")]

mod bed;
mod collecting;
mod conformance;
mod observed;
mod redis;
mod sealed;
mod sqlite;
