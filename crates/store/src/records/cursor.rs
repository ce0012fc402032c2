//! Sweep cursors of the back ends that keep all records in one order: the place of the last record given.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{Partition, Sort, StoreError, SweepCursor};

/// Where a sweep stopped.
pub(super) struct Place {
    pub(super) partition: Bytes,
    pub(super) sort: Bytes,
}

pub(super) fn encode(partition: &Partition, sort: &Sort) -> SweepCursor {
    let (key, sort) = (partition.key(), sort.as_bytes());
    let mut bytes = BytesMut::with_capacity(2 + key.len() + sort.len());
    bytes.put_u16(u16::try_from(key.len()).expect("a partition key has at most 1024 bytes"));
    bytes.put_slice(key);
    bytes.put_slice(sort);
    SweepCursor(bytes.freeze())
}

pub(super) fn decode(cursor: &SweepCursor) -> Result<Place, StoreError> {
    let split = || {
        let (length, rest) = cursor.0.split_first_chunk()?;
        let end = 2 + usize::from(u16::from_be_bytes(*length));
        (end <= 2 + rest.len())
            .then(|| Place { partition: cursor.0.slice(2..end), sort: cursor.0.slice(end..) })
    };
    split().ok_or_else(|| StoreError::Corrupt { what: "a sweep cursor of another back end".to_owned() })
}
