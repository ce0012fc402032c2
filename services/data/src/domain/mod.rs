//! What the data service does, without HTTP: who may, whose file a name means, and how files are kept.

pub mod access;
pub mod follower;
pub mod freshness;
pub mod kms;
pub mod sessions;
mod sharded;
pub mod touches;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
