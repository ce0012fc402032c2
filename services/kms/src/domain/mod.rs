//! The rules of the KMS, without HTTP and without bytes at rest.

pub mod events;
pub mod feed;
pub mod filekeys;
pub mod group;
pub mod identity;
pub mod keyrings;
pub mod mail;
pub mod pool;
pub mod recent;
#[cfg(test)]
pub(crate) mod test_store;
