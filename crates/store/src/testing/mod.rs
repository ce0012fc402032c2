//! For tests, also those of other crates: a Redis server of a test's own, and records that tell what was asked
//! of them.

mod observed;
mod redis_server;

pub use observed::{Call, CallKind, Calls, Fault, Observed};
pub use redis_server::RedisServer;
