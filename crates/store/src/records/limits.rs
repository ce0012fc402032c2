//! The limits of the contract, checked once, before a back end sees anything.

use std::collections::HashSet;

use super::past::PAST_OVERHEAD_BYTES;
use super::{
    COMMIT_ITEMS_MAX, COUNTER_MAX, Commit, GET_MANY_MAX, LOG_PREFIX_BYTES_MAX, Operation, PAGE_RECORDS_MAX,
    PARTITION_BYTES_MAX, Partition, SORT_BYTES_MAX, Sort, SortRange, StoreError, Table, VALUE_BYTES_MAX,
};

fn ensure(holds: bool, limit: &'static str) -> Result<(), StoreError> {
    if holds { Ok(()) } else { Err(StoreError::Limit(limit)) }
}

fn partition(partition: &Partition) -> Result<(), StoreError> {
    ensure(partition.key().len() <= PARTITION_BYTES_MAX, "a partition key has at most 1024 bytes")
}

fn sort(sort: &Sort) -> Result<(), StoreError> {
    ensure(sort.as_bytes().len() <= SORT_BYTES_MAX, "a sort key has at most 4096 bytes")
}

pub(super) fn address(at: &Partition, key: &Sort) -> Result<(), StoreError> {
    partition(at)?;
    sort(key)
}

pub(super) fn addresses(at: &Partition, keys: &[Sort]) -> Result<(), StoreError> {
    partition(at)?;
    ensure(keys.len() <= GET_MANY_MAX, "at most 256 records are asked for at once")?;
    keys.iter().try_for_each(sort)
}

pub(super) fn scan(at: &Partition, range: &SortRange, records: usize) -> Result<(), StoreError> {
    partition(at)?;
    // One byte more than a key has: `SortRange::after` appends one.
    let bound = |bytes: &[u8]| ensure(bytes.len() <= SORT_BYTES_MAX + 1, "a range is bounded by sort keys");
    bound(&range.from)?;
    range.until.as_ref().map_or(Ok(()), |until| bound(until))?;
    page(records)
}

pub(super) fn page(records: usize) -> Result<(), StoreError> {
    ensure((1..=PAGE_RECORDS_MAX).contains(&records), "a page has 1 to 10000 records")
}

pub(super) fn watchable(table: Table) -> Result<(), StoreError> {
    ensure(table.is_watched(), "only a table made with Table::watched can be watched")
}

pub(super) fn commit(at: &Partition, commit: &Commit) -> Result<(), StoreError> {
    partition(at)?;
    let items = commit.guards.len() + commit.operations.len();
    ensure(items <= COMMIT_ITEMS_MAX, "a commit has at most 512 guards and operations")?;
    commit.guards.iter().try_for_each(|guard| sort(guard.sort()))?;
    let mut written = HashSet::with_capacity(commit.operations.len());
    for operation in &commit.operations {
        sort(operation.sort())?;
        for part in parts(operation) {
            ensure(written.insert((operation.sort(), part)), "a commit writes a record once")?;
        }
        match operation {
            Operation::Put { value, .. } => value_of(value)?,
            Operation::Append { prefix, value, .. } => {
                let length = prefix.as_bytes().len();
                ensure(length <= LOG_PREFIX_BYTES_MAX, "the prefix of a log has at most 1024 bytes")?;
                value_of(value)?;
            }
            Operation::Add { delta, .. } => {
                ensure((-COUNTER_MAX..=COUNTER_MAX).contains(delta), COUNTER_RANGE)?;
            }
            Operation::Retire { sort, .. } => {
                let length = sort.as_bytes().len() + PAST_OVERHEAD_BYTES;
                ensure(length <= SORT_BYTES_MAX, "the key of what is retired has at most 4084 bytes")?;
            }
            Operation::Delete { .. } => {}
        }
    }
    Ok(())
}

/// What of a name only one operation of a commit may have.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    /// What stands there afterwards.
    Place,
    /// What stood there before: it is moved, or added to.
    Before,
    /// The log of that name, which is another thing.
    Log,
}

fn parts(operation: &Operation) -> &'static [Part] {
    match operation {
        Operation::Put { .. } | Operation::Delete { .. } => &[Part::Place],
        Operation::Retire { .. } => &[Part::Before],
        Operation::Add { .. } => &[Part::Place, Part::Before],
        Operation::Append { .. } => &[Part::Log],
    }
}

fn value_of(value: &[u8]) -> Result<(), StoreError> {
    ensure(value.len() <= VALUE_BYTES_MAX, "a value has at most 1 MiB and 4 KiB")
}

pub(super) const COUNTER_RANGE: &str = "a counter stays between -(2^53 - 1) and 2^53 - 1";
