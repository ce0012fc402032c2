mod cost;
mod exact;
mod faults;
mod keys;
mod store;
mod totals;
mod with_kv;
mod world;
