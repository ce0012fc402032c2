//! Which record stands where in an owner's partition.
//!
//! ```text
//! k / key                        the current entry
//! v / key / id / part            a part of a large value; the id is random, the part 4 bytes big-endian
//! t / key                        the tombstone of a deleted key
//! x / moment / key / revision    what is left to do at that moment (8 bytes, ms): see `due`
//! g / subject / scope            a grant
//! w                              written to learn the present revision
//! past of k / key, revision      an entry that was replaced or deleted, under the revision that it had
//! log c                          the changes, see `change`
//! ```

use std::borrow::Cow;

use bytes::Bytes;
use coffer_core::{Timestamp, UserId};
use coffer_store::records::{Partition, Sort, SortRange, Table, Version};

/// Values, their history and their changes. Watched.
pub const TABLE: Table = Table::watched("kv");

const CURRENT: &str = "k";
const PART: &str = "v";
const TOMBSTONE: &str = "t";
const DUE: &str = "x";
const GRANT: &str = "g";
const PROBE: &str = "w";
const CHANGES: &str = "c";
const END: &[u8] = b"\0\x01";

/// The partition of an owner.
pub fn partition(owner: UserId) -> Partition {
    Partition::new(TABLE, owner.as_bytes())
}

/// The current entry of a key.
pub fn current(key: &str) -> Sort {
    Sort::of(CURRENT).and(key).build()
}

/// A part of a large value.
pub fn part(key: &str, id: [u8; 16], part: u32) -> Sort {
    Sort::of(PART).and(key).and(id).and(part.to_be_bytes()).build()
}

/// An entry that was replaced or deleted.
pub fn history(key: &str, revision: u64) -> Sort {
    Sort::past(&current(key), Version(revision))
}

/// The tombstone of a key.
pub fn tombstone(key: &str) -> Sort {
    Sort::of(TOMBSTONE).and(key).build()
}

/// What is to be done about a key's entry of `revision`.
pub fn due(at: Timestamp, key: &str, revision: u64) -> Sort {
    Sort::of(DUE).and(moment(at)).and(key).and(revision.to_be_bytes()).build()
}

/// What is to be done until `now`, that moment included.
pub fn due_until(now: Timestamp) -> SortRange {
    let all = Sort::of(DUE).children();
    let next = Timestamp::from_ms(now.as_ms().saturating_add(1));
    SortRange {
        from: all.from,
        until: Some(Bytes::copy_from_slice(Sort::of(DUE).and(moment(next)).build().as_bytes())),
    }
}

/// Everything that is to be done at some time, the earliest first.
pub fn due_ever() -> SortRange {
    Sort::of(DUE).children()
}

/// When what stands at this key is to be done.
pub fn due_at(sort: &Sort) -> Option<Timestamp> {
    let bytes = <[u8; 8]>::try_from(sort.parts()?.get(1)?.as_slice()).ok()?;
    i64::try_from(u64::from_be_bytes(bytes)).ok().map(Timestamp::from_ms)
}

/// The key whose current entry's expiry is noted here.
pub fn expiring_in(sort: &Sort) -> Option<String> {
    let [_, _, key, revision] = <[Vec<u8>; 4]>::try_from(sort.parts()?).ok()?;
    if revision != [0; 8] {
        return None;
    }
    String::from_utf8(key).ok()
}

/// A grant to a subject.
pub fn grant(subject: &[u8], scope: &[u8]) -> Sort {
    Sort::of(GRANT).and(subject).and(scope).build()
}

/// The grants to a subject.
pub fn grants_to(subject: &[u8]) -> SortRange {
    Sort::of(GRANT).and(subject).children()
}

/// All grants.
pub fn grants() -> SortRange {
    Sort::of(GRANT).children()
}

/// A record that means nothing but that there was a commit.
pub fn probe() -> Sort {
    Sort::of(PROBE).build()
}

/// The log of changes.
pub fn changes() -> Sort {
    Sort::of(CHANGES).build()
}

/// The current entries whose keys begin with `prefix`, from behind the key `after`.
pub fn currents(prefix: &str, after: Option<&str>) -> SortRange {
    let range = Sort::of(CURRENT).children_beginning(prefix);
    after.map_or(range.clone(), |after| range.after(&current(after)))
}

/// As `currents`, from behind every key that begins with `passed`.
pub fn currents_behind(prefix: &str, passed: &str) -> SortRange {
    let range = Sort::of(CURRENT).children_beginning(prefix);
    let passed = Sort::of(CURRENT).children_beginning(passed);
    range.not_before(passed.until.unwrap_or(passed.from))
}

/// The tombstones of keys that begin with `prefix`, from behind the key `after`.
pub fn tombstones(prefix: &str, after: Option<&str>) -> SortRange {
    let range = Sort::of(TOMBSTONE).children_beginning(prefix);
    after.map_or(range.clone(), |after| range.after(&tombstone(after)))
}

/// The key in the sort key of a current entry or a tombstone.
pub fn key_in(sort: &Sort) -> Option<Cow<'_, str>> {
    let bytes = sort.as_bytes();
    let key = bytes.get(3..)?.strip_suffix(END)?;
    if key.contains(&0) {
        let parts = sort.parts()?;
        return String::from_utf8(parts.into_iter().nth(1)?).ok().map(Cow::Owned);
    }
    std::str::from_utf8(key).ok().map(Cow::Borrowed)
}

/// Sorts like the moment.
fn moment(at: Timestamp) -> [u8; 8] {
    u64::try_from(at.as_ms()).unwrap_or(0).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_its_place_whatever_it_holds() {
        for key in ["a", "a/../b", "\0", "a\0\u{1}b", "報告", "\u{10ffff}"] {
            assert_eq!(key_in(&current(key)).as_deref(), Some(key));
            assert_eq!(key_in(&tombstone(key)).as_deref(), Some(key));
            assert!(
                currents("", None).contains(&current(key)) && currents(key, None).contains(&current(key))
            );
            assert!(!currents("", Some(key)).contains(&current(key)));
            assert!(currents("", Some(key)).contains(&current(&format!("{key}\0"))));
            assert!(!currents_behind("", key).contains(&current(&format!("{key}\0"))));
            assert!(!tombstones("", None).contains(&current(key)));
        }
        assert!(currents_behind("", "a/").contains(&current("a0")));
        assert!(!currents_behind("a", "a/").contains(&current("b")));
        for place in ["", "a", "b-secret", "shared"] {
            assert!(
                !currents_behind("shared/", place).contains(&current("b0")),
                "{place}: before the prefix"
            );
            assert!(!currents("shared/", Some(place)).contains(&current("b0")), "{place}: before the prefix");
        }
    }

    #[test]
    fn what_is_due_is_found_by_its_moment() {
        let at = Timestamp::from_ms(1_000);
        let sort = due(at, "a", 7);
        assert_eq!(due_at(&sort), Some(at));
        assert!(due_until(at).contains(&sort) && due_ever().contains(&sort));
        assert!(!due_until(Timestamp::from_ms(999)).contains(&sort));
    }
}
