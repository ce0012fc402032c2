//! How files lie in the record store.

mod blob_names;
mod due;
mod fences;
mod files;
mod native;
mod record;
mod rewrap;
mod staging;
mod state;

pub(crate) use blob_names::BlobNames;
pub(crate) use due::{Due, DueRepo};
pub(crate) use fences::Fence;
pub use files::StoredFile;
pub(crate) use files::{Created, FileRepo, Names};
pub(crate) use native::{Gone, Native, Past, Tag, Tombstone};
pub(crate) use record::{BlobRef, Content, FileRecord, name_in, trashed_name_in};
pub(crate) use rewrap::Rewrap;
pub(crate) use staging::{SHARDS, Staged, StagingRepo};
pub(crate) use state::{Change, Changed, NameState, OfName};
