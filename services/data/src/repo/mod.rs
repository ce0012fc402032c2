//! How files lie in the record store.

mod record;

pub(crate) use record::{BlobRef, Content, FileRecord};
