//! Encrypted configurations as records.
//!
//! A name space is one partition of the table `configs`, under a random id. Which user key opens it stands elsewhere:
//! in a *wrap*, at a place that is derived from the user key and blinded, which holds id and key of the name space
//! wrapped under the user key; and in the name space itself, where its *owner* record names the one wrap that counts.
//! Both are needed, so a name space always opens for exactly one user key, whatever crashed in the middle of what.
//!
//! Everything in a name space is sealed twice: under its own key, which needs the user key, and by the store. Names
//! are blinded under both. What the storage sees: how many configurations there are, their sizes, and when they change.

pub mod deployment;
pub mod entry;
pub mod keys;
mod log;
mod reads;
mod records;
mod totals;
pub mod wrap;

pub use deployment::Deployment;
pub use entry::{Change, ChangeRecord, Entry, Kept, Op};
pub use log::{LogState, Weighed, log_charge};
pub use reads::ReadTimes;
pub use records::{Committed, ConfigsRepo, open, seal};
pub use totals::TotalsRepo;
pub use wrap::{Owner, Place, StoredOwner, StoredWrap};
