//! Where Coffer keeps things: [`records`] for what must commit together.

pub mod records;
mod redis_link;
#[cfg(feature = "testing")]
pub mod testing;
