//! Which record stands where in a name space.
//!
//! ```text
//! o                            the owner record: which wrap counts
//! k / key / environment        a configuration; both names blinded
//! h / id / version             a value that was replaced; 8 bytes each
//! n                            counter: numbers given out
//! b                            counter: bytes in use
//! l                            counter: bytes of the log of changes
//! t                            up to where the log was let go
//! w                            written to learn the present revision
//! r / bucket                   when configurations were last read; 8 bytes
//! log c                        the changes
//! ```

use coffer_crypto::space::{NAME_BYTES, SpaceKeys};
use coffer_store::records::{Partition, Sort, SortRange, Table};

/// The name spaces. Watched.
pub const TABLE: Table = Table::watched("configs");

/// The blinded name of a key or an environment.
pub type Blinded = [u8; NAME_BYTES];

/// The partition of a name space.
pub fn partition(space: &SpaceKeys) -> Partition {
    Partition::new(TABLE, space.id())
}

/// The owner record.
pub fn owner() -> Sort {
    Sort::of("o").build()
}

/// A configuration.
pub fn current(key: Blinded, environment: Blinded) -> Sort {
    Sort::of("k").and(key).and(environment).build()
}

/// A key in all environments.
pub fn environments_of(key: Blinded) -> SortRange {
    Sort::of("k").and(key).children()
}

/// All configurations.
pub fn currents() -> SortRange {
    Sort::of("k").children()
}

/// An earlier version.
pub fn history(id: u64, version: u64) -> Sort {
    Sort::of("h").and(id.to_be_bytes()).and(version.to_be_bytes()).build()
}

/// The counter of numbers.
pub fn numbers() -> Sort {
    Sort::of("n").build()
}

/// The counter of bytes.
pub fn bytes() -> Sort {
    Sort::of("b").build()
}

/// The counter of the log's bytes.
pub fn log_bytes() -> Sort {
    Sort::of("l").build()
}

/// Up to where the log was let go.
pub fn floor() -> Sort {
    Sort::of("t").build()
}

/// Written to learn the present revision.
pub fn probe() -> Sort {
    Sort::of("w").build()
}

/// When configurations of a bucket were last read.
pub fn read_times(bucket: u64) -> Sort {
    Sort::of("r").and(bucket.to_be_bytes()).build()
}

/// When all configurations were last read.
pub fn all_read_times() -> SortRange {
    Sort::of("r").children()
}

/// The log of changes.
pub fn changes() -> Sort {
    Sort::of("c").build()
}
