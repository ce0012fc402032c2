mod cost;
mod exact;
mod faults;
mod keys;
mod totals;
pub(crate) mod with_kv;
mod world;
