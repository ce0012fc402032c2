//! Pasts: records that commits set aside, under the version that they had.
//!
//! The past of a record is a record like any other, whose key is made of that where it stood:
//!
//! ```text
//! 0x00 0x03 ‖ length of the key (2 bytes, big-endian) ‖ key ‖ version (8 bytes, big-endian)
//! ```
//!
//! As with [logs](super::log), no key that [`Sort::of`] composes begins like this. Setting aside moves a value and does
//! not copy it: it stays as it was written, and as it was sealed. So it is bound to the record that it was a version of
//! and not to which one; a reader who must know finds that in the value.
//!
//! The road not taken: writing the old value again under the new key. Keeping history then doubles what every
//! overwriting commit sends, seals and logs.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{Sort, Version};

const MARK: [u8; 2] = [0, 3];
const HEAD_BYTES: usize = 4;
const VERSION_BYTES: usize = 8;
/// How much longer the key of a past is than that of its record, in bytes.
pub(super) const PAST_OVERHEAD_BYTES: usize = HEAD_BYTES + VERSION_BYTES;

/// What the keys of all pasts of a record begin with; the version follows.
pub(super) fn head(sort: &Sort) -> BytesMut {
    let sort = sort.as_bytes();
    let mut head = BytesMut::with_capacity(PAST_OVERHEAD_BYTES + sort.len());
    head.put_slice(&MARK);
    head.put_u16(u16::try_from(sort.len()).expect("a sort key has at most 4096 bytes"));
    head.put_slice(sort);
    head
}

impl Sort {
    /// The key at which the record of this key and version stands after
    /// [`Operation::Retire`](super::Operation::Retire).
    pub fn past(sort: &Sort, version: Version) -> Self {
        let mut key = head(sort);
        key.put_u64(version.0);
        Self::from_bytes(key.freeze())
    }

    /// The key that a past's record had.
    pub(super) fn origin(&self) -> Option<Sort> {
        let rest = self.as_bytes().strip_prefix(&MARK)?;
        let (length, rest) = rest.split_first_chunk()?;
        let (origin, _) = rest.split_last_chunk::<VERSION_BYTES>()?;
        let is_whole = origin.len() == usize::from(u16::from_be_bytes(*length));
        is_whole.then(|| Sort::from_bytes(Bytes::copy_from_slice(origin)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_past_gives_its_record_back_and_nothing_else_is_one() {
        let sort = Sort::of("c").and("d").build();
        let past = Sort::past(&sort, Version(7));
        assert_eq!(past.origin(), Some(sort.clone()));
        assert_eq!(Sort::past(&past, Version(8)).origin(), Some(past.clone()), "also of a past");
        assert_eq!((past.parts(), past.log_version()), (None, None), "no other kind of key");
        let longer = Sort::from_bytes([past.as_bytes(), b"x"].concat().into());
        for other in [Sort::of("").build(), Sort::log_entry(&sort, Version(7)), sort, longer] {
            assert_eq!(other.origin(), None, "{other:?}");
        }
    }
}
