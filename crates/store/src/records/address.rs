//! Where a record stands.

use std::fmt;

use bytes::Bytes;

/// A record table: a short fixed name of `a-z`, `0-9` and `_`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Table {
    name: &'static str,
    watched: bool,
}

impl Table {
    /// A table name; anything but 1 to 24 of `a-z`, `0-9` and `_` fails to compile in a constant.
    pub const fn new(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        assert!(!bytes.is_empty() && bytes.len() <= 24, "a table name has 1 to 24 bytes");
        let mut i = 0;
        while i < bytes.len() {
            assert!(
                matches!(bytes[i], b'a'..=b'z' | b'0'..=b'9' | b'_'),
                "a table name is of a-z, 0-9 and _"
            );
            i += 1;
        }
        Self { name, watched: false }
    }

    /// A table whose partitions can be watched. Commits to it pay for notifications.
    pub const fn watched(name: &'static str) -> Self {
        Self { name: Self::new(name).name, watched: true }
    }

    /// The name.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Whether its partitions can be watched.
    pub const fn is_watched(self) -> bool {
        self.watched
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A partition of a table: what commits together. The key is any bytes, at most
/// [`PARTITION_BYTES_MAX`](super::PARTITION_BYTES_MAX).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    table: Table,
    key: Bytes,
}

impl Partition {
    /// The partition `key` of `table`.
    pub fn new(table: Table, key: impl AsRef<[u8]>) -> Self {
        Self { table, key: Bytes::copy_from_slice(key.as_ref()) }
    }

    /// The table it belongs to.
    pub fn table(&self) -> Table {
        self.table
    }

    /// Its key within the table.
    pub fn key(&self) -> &[u8] {
        &self.key
    }
}

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.table.name, self.key.escape_ascii())
    }
}

/// A sort key: any bytes, ordered bytewise. Composed keys are made with [`Sort::of`], which keeps the
/// parts apart whatever bytes they hold.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sort(Bytes);

impl Sort {
    /// A sort key whose first part is `part`.
    pub fn of(part: impl AsRef<[u8]>) -> SortBuilder {
        SortBuilder(Vec::new()).and(part)
    }

    /// The key with exactly these bytes, as a back end read them.
    pub fn from_bytes(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The encoded key.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The parts that the key was made of, or nothing if its bytes are no such encoding.
    pub fn parts(&self) -> Option<Vec<Vec<u8>>> {
        let mut parts = Vec::new();
        let mut part = Vec::new();
        let mut bytes = self.0.iter().copied();
        while let Some(byte) = bytes.next() {
            match byte {
                0 => match bytes.next()? {
                    END => parts.push(std::mem::take(&mut part)),
                    ESCAPED_ZERO => part.push(0),
                    _ => return None,
                },
                other => part.push(other),
            }
        }
        part.is_empty().then_some(parts)
    }
}

impl fmt::Debug for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl From<SortBuilder> for Sort {
    fn from(builder: SortBuilder) -> Self {
        Self(Bytes::from(builder.0))
    }
}

// After a zero byte: the end of a part sorts before a zero within it, so keys sort like their parts.
const END: u8 = 0x01;
const ESCAPED_ZERO: u8 = 0xff;

/// Composes a [`Sort`] of parts; keys sort like the lists of their parts.
#[derive(Clone, Debug)]
pub struct SortBuilder(Vec<u8>);

impl SortBuilder {
    /// Appends a part.
    #[must_use]
    pub fn and(mut self, part: impl AsRef<[u8]>) -> Self {
        for &byte in part.as_ref() {
            self.0.push(byte);
            if byte == 0 {
                self.0.push(ESCAPED_ZERO);
            }
        }
        self.0.extend([0, END]);
        self
    }

    /// The composed key.
    pub fn build(self) -> Sort {
        self.into()
    }

    /// The range of all keys that begin with these parts.
    pub fn children(self) -> SortRange {
        SortRange::with_prefix(&self.0)
    }

    /// The range of all keys that begin with these parts and then a part that begins with `text`.
    pub fn children_beginning(mut self, text: impl AsRef<[u8]>) -> SortRange {
        for &byte in text.as_ref() {
            self.0.push(byte);
            if byte == 0 {
                self.0.push(ESCAPED_ZERO);
            }
        }
        SortRange::with_prefix(&self.0)
    }
}

/// A half-open range of sort keys: `from` included, `until` not; no `until` means to the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortRange {
    /// The first key that may be in the range.
    pub from: Bytes,
    /// The first key that is not.
    pub until: Option<Bytes>,
}

impl SortRange {
    /// The whole partition.
    pub fn all() -> Self {
        Self { from: Bytes::new(), until: None }
    }

    fn with_prefix(prefix: &[u8]) -> Self {
        let mut until = prefix.to_vec();
        while until.last() == Some(&0xff) {
            until.pop();
        }
        let until = until.last_mut().map(|last| *last += 1).map(|()| Bytes::from(until));
        Self { from: Bytes::copy_from_slice(prefix), until }
    }

    /// This range from just after `sort`: the next page. Never more than this range, wherever `sort` stands: a place
    /// that a stranger names must not lead out of what he may see.
    #[must_use]
    pub fn after(self, sort: &Sort) -> Self {
        let mut from = sort.0.to_vec();
        from.push(0);
        self.not_before(Bytes::from(from))
    }

    /// What of this range is not before `from`.
    #[must_use]
    pub fn not_before(self, from: Bytes) -> Self {
        Self { from: self.from.max(from), until: self.until }
    }

    /// Whether `sort` is in the range.
    pub fn contains(&self, sort: &Sort) -> bool {
        sort.0 >= self.from && self.until.as_ref().is_none_or(|until| sort.0 < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_like_the_lists_of_their_parts() {
        let lists: [&[&[u8]]; 6] =
            [&[b"a"], &[b"a", b"\0"], &[b"a", b"\0", b"x"], &[b"a", b"b"], &[b"a\0"], &[b"b"]];
        let keys = lists.map(|parts| {
            let mut parts = parts.iter();
            let first = Sort::of(parts.next().unwrap());
            parts.fold(first, SortBuilder::and).build()
        });
        assert!(keys.is_sorted());
        for (key, parts) in keys.iter().zip(lists) {
            assert_eq!(key.parts().unwrap(), parts);
        }
    }

    #[test]
    fn a_prefix_range_holds_its_children_and_nothing_else() {
        let range = Sort::of("file").and("x").children();
        assert!(range.contains(&Sort::of("file").and("x").and("meta").build()));
        assert!(!range.contains(&Sort::of("file").and("xy").build()));
        let begins = Sort::of("name").children_beginning("rep");
        assert!(begins.contains(&Sort::of("name").and("report").build()));
        assert!(!begins.contains(&Sort::of("name").and("reXort").build()));
    }

    #[test]
    fn what_comes_after_a_place_outside_of_a_range_is_none_but_of_the_range() {
        let range = Sort::of("k").children_beginning("shared/");
        let key = |text: &str| Sort::of("k").and(text).build();
        assert_eq!(range.clone().after(&key("a")), range, "a place before it");
        assert!(range.clone().after(&key("shared/x")).contains(&key("shared/y")));
        let behind = range.clone().after(&key("z"));
        assert!(["a", "shared/x", "z", "zz"].iter().all(|text| !behind.contains(&key(text))));
    }

    #[test]
    fn bytes_that_are_no_composed_key_have_no_parts() {
        assert_eq!(Sort::from_bytes(Bytes::from_static(b"abc")).parts(), None);
        assert_eq!(Sort::from_bytes(Bytes::from_static(b"abc\0\x02")).parts(), None);
    }
}
