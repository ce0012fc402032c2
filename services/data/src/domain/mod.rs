//! What the data service does, without HTTP: who may, whose file a name means, and how files are kept.

pub mod access;
pub mod browsing;
pub mod collector;
pub mod content;
pub mod files;
pub mod kms;
pub mod library;
pub mod listing;
pub mod native;
pub mod turns;

#[cfg(test)]
mod access_tests;
#[cfg(test)]
mod browsing_tests;
#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod library_tests;
#[cfg(test)]
pub(crate) mod testing;
