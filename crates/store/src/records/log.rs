//! Logs: records that commits append, in the order in which they happened.
//!
//! An entry of a log is a record like any other, whose key ends with the version of the commit that wrote it:
//!
//! ```text
//! 0x00 0x02 ‖ length of the prefix (2 bytes, big-endian) ‖ prefix ‖ version (8 bytes, big-endian)
//! ```
//!
//! No key that [`Sort::of`] composes begins with `0x00 0x02`, so what is an entry can be told from its key alone;
//! and because the length comes first, no log lies within another. Versions of a partition only grow and are given
//! together with the commit, so whoever has read a log up to some version never finds an older entry later: this
//! is what a follower needs that keeps nothing but its place.
//!
//! A log has no length of its own: its entries expire. One that is written over by [`Operation::Put`](super::Operation::Put)
//! (to seal it anew) keeps its place, though the record then has a newer version.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{Sort, SortRange, Version};

/// The longest prefix of a log, in bytes.
pub const LOG_PREFIX_BYTES_MAX: usize = 1024;

const MARK: [u8; 2] = [0, 2];
const HEAD_BYTES: usize = 4;
const VERSION_BYTES: usize = 8;

/// What the keys of all entries of a log begin with; the version follows.
pub(super) fn head(prefix: &Sort) -> BytesMut {
    let prefix = prefix.as_bytes();
    let mut head = BytesMut::with_capacity(HEAD_BYTES + prefix.len() + VERSION_BYTES);
    head.put_slice(&MARK);
    head.put_u16(u16::try_from(prefix.len()).expect("the prefix of a log has at most 1024 bytes"));
    head.put_slice(prefix);
    head
}

impl Sort {
    /// The key of the entry that the commit of this version appended to the log `prefix` (at most
    /// [`LOG_PREFIX_BYTES_MAX`]).
    pub fn log_entry(prefix: &Sort, version: Version) -> Self {
        let mut key = head(prefix);
        key.put_u64(version.0);
        Self::from_bytes(key.freeze())
    }

    /// The version of the commit that appended this entry, or nothing if this is no key of a log's entry.
    pub fn log_version(&self) -> Option<Version> {
        self.split_log_entry().map(|(_, version)| version)
    }

    /// The prefix and the version of a log's entry.
    pub(super) fn split_log_entry(&self) -> Option<(&[u8], Version)> {
        let rest = self.as_bytes().strip_prefix(&MARK)?;
        let (length, rest) = rest.split_first_chunk()?;
        let (prefix, version) = rest.split_last_chunk()?;
        let is_whole = prefix.len() == usize::from(u16::from_be_bytes(*length));
        is_whole.then(|| (prefix, Version(u64::from_be_bytes(*version))))
    }
}

impl SortRange {
    /// The entries of the log `prefix` (at most [`LOG_PREFIX_BYTES_MAX`]) that were appended after this version, or
    /// all of them.
    pub fn log(prefix: &Sort, after: Option<Version>) -> Self {
        let head = head(prefix).freeze();
        // Behind every entry: a key is at most as long as one of these, and its version not over this one.
        let until = [&head[..], &[0xff; VERSION_BYTES + 1]].concat();
        let all = Self { from: head, until: Some(Bytes::from(until)) };
        match after {
            Some(version) => all.after(&Sort::log_entry(prefix, version)),
            None => all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_told_from_its_key_and_nothing_else_is_one() {
        let prefix = Sort::of("c").and("d").build();
        let entry = Sort::log_entry(&prefix, Version(7));
        assert_eq!(entry.split_log_entry(), Some((prefix.as_bytes(), Version(7))));
        assert_eq!(entry.parts(), None, "no composed key");
        for other in [Sort::of("").build(), Sort::of("\0\u{2}").and([0; 12]).build(), prefix] {
            assert_eq!(other.log_version(), None, "{other:?}");
        }
        let longer = Sort::from_bytes([entry.as_bytes(), b"x"].concat().into());
        assert_eq!(longer.log_version(), None);
    }

    #[test]
    fn the_range_of_a_log_holds_its_entries_after_a_version_and_no_other_log() {
        let (log, inner) = (Sort::of("c").build(), Sort::of("c").and("d").build());
        let range = SortRange::log(&log, Some(Version(7)));
        assert!(range.contains(&Sort::log_entry(&log, Version(8))));
        assert!(range.contains(&Sort::log_entry(&log, Version(u64::MAX))));
        assert!(!range.contains(&Sort::log_entry(&log, Version(7))));
        let all = SortRange::log(&log, None);
        assert!(all.contains(&Sort::log_entry(&log, Version(0))));
        assert!(!all.contains(&Sort::log_entry(&inner, Version(7))));
        assert!(!all.contains(&log) && !all.contains(&Sort::of("").build()));
    }
}
