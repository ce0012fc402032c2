//! Where Coffer keeps things: [`records`] for what must commit together.

pub mod records;
#[cfg(feature = "testing")]
pub mod testing;
