mod cost;
mod exact;
mod faults;
mod keys;
mod store;
mod totals;
mod world;
