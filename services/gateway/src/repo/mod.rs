//! What the gateway keeps: how it becomes keys and sealed bytes.

pub mod configs;
pub mod kv;
pub mod kv_totals;
pub mod usage;
