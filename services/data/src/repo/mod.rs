//! How files lie in the record store.

mod files;
mod record;
mod staging;

pub use files::StoredFile;
pub(crate) use files::{Created, FileRepo, Names};
pub(crate) use record::{BlobRef, Content, FileRecord, name_in};
pub(crate) use staging::{SHARDS, Staged, StagingRepo};
