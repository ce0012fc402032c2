//! The key-value store as records.
//!
//! All of one owner is one partition of the table `kv`, so that a value, its history and the record of the change
//! commit together. [`keys`] says what stands where. Values over a few KiB lie in parts of their own, which are
//! never changed: an entry that is replaced moves to the history and keeps its parts.
//!
//! Names of keys are not blinded: listing them by prefix and in order is what the store is for. Everything else is
//! sealed.

pub mod change;
pub mod due;
pub mod entry;
pub mod grant;
pub mod keys;
mod records;
pub mod tombstone;

pub use change::{Change, ChangeRecord, Delta, Op};
pub use due::{DueRepo, Leftover};
pub use entry::{Entry, Head, Parts, Past};
pub use grant::{GrantRecord, SharedRepo, Subject};
pub use records::{Committed, KvRepo, StoredEntry, StoredParts};
pub use tombstone::Tombstone;
