//! Where Coffer keeps things: [`records`] for what must commit together, [`blobs`] for large ciphertext.

pub mod blobs;
pub mod records;
mod redis_link;
#[cfg(feature = "testing")]
pub mod testing;
