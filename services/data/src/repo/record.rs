//! What is stored of a file, and under which keys.
//!
//! A space (an owner's id, or nobody's with `files.shared_names`) is one partition of the table `file`.
//! The file's name is its sort key, so that listing names reads keys and no values. The record holds
//! small ciphertext itself; of large ciphertext it holds where the blob is and the key that opens it.

use coffer_core::{BlobId, FileId, FileName, Timestamp, UserId};
use coffer_store::records::{Partition, Sort, SortRange, Table};
use serde::{Deserialize, Serialize};
use serde_bytes::Bytes;

use super::native::Native;

const FILES: Table = Table::new("file");
const NAME: &str = "name";
const DROPPED: &str = "dropped";
const TRASH: &str = "trash";
const FENCE: &str = "fence";
const BLOB_NAMES: &str = "names";

/// The partition of a space.
pub(super) fn partition(space: UserId) -> Partition {
    Partition::new(FILES, space.as_bytes())
}

/// Where the file of this name stands.
pub(super) fn name_key(name: &FileName) -> Sort {
    Sort::of(NAME).and(name.as_str()).build()
}

/// Where the file of this name stands after it was deleted.
pub(super) fn trash_key(name: &FileName) -> Sort {
    Sort::of(TRASH).and(name.as_str()).build()
}

/// Where it stands which versions of a file key are taken in.
pub(super) fn fence_key(file: FileId) -> Sort {
    Sort::of(FENCE).and(file.as_bytes()).build()
}

/// Where the names of a blob stand that has had several.
pub(super) fn blob_names_key(blob: BlobId) -> Sort {
    Sort::of(BLOB_NAMES).and(blob.as_bytes()).build()
}

/// The range of all deleted names that begin with `prefix`, after `after`.
pub(super) fn trash_range(prefix: &str, after: Option<&str>) -> SortRange {
    let range = Sort::of(TRASH).children_beginning(prefix);
    match after {
        Some(after) => range.after(&Sort::of(TRASH).and(after).build()),
        None => range,
    }
}

/// The range of all names that begin with `prefix`, after `after`. No name ends with `/`, so an `after` that does stands
/// for all names that begin with it.
pub(super) fn name_range(prefix: &str, after: Option<&str>) -> SortRange {
    let range = Sort::of(NAME).children_beginning(prefix);
    match after {
        Some(after) if after.ends_with('/') => {
            let folder = Sort::of(NAME).children_beginning(after);
            SortRange { from: folder.until.unwrap_or(folder.from).max(range.from), ..range }
        }
        Some(after) => range.after(&Sort::of(NAME).and(after).build()),
        None => range,
    }
}

/// The range that holds only `key`.
pub(super) fn only(key: &Sort) -> SortRange {
    let from = key.as_bytes();
    let until = [from, b"\0"].concat();
    SortRange { from: bytes::Bytes::copy_from_slice(from), until: Some(until.into()) }
}

/// Says that a blob has been given up: it must not be published any more.
pub(super) fn dropped_key(blob: BlobId) -> Sort {
    Sort::of(DROPPED).and(blob.as_bytes()).build()
}

/// The name in a key of `name_range`. It has no zero byte, so it stands in the key as it is.
pub(crate) fn name_in(sort: &Sort) -> Option<&str> {
    name_behind(b"name\0\x01", sort)
}

/// The name in a key of `trash_range`.
pub(crate) fn trashed_name_in(sort: &Sort) -> Option<&str> {
    name_behind(b"trash\0\x01", sort)
}

fn name_behind<'a>(kind: &[u8], sort: &'a Sort) -> Option<&'a str> {
    let name = sort.as_bytes().strip_prefix(kind)?.strip_suffix(b"\0\x01")?;
    std::str::from_utf8(name).ok()
}

/// A file, as it stands in its record.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRecord<'a> {
    /// When it was uploaded.
    pub(crate) created_at: Timestamp,
    /// Bytes of ciphertext; of an envelope, all of its bytes.
    pub(crate) size_bytes: u64,
    /// The content key, encrypted for the file key.
    #[serde(borrow)]
    pub(crate) wrapped_key: &'a Bytes,
    /// The initial vector, encrypted for the file key.
    #[serde(borrow)]
    pub(crate) wrapped_vector: &'a Bytes,
    /// The ciphertext, or where it is; of an envelope, what stands behind its head.
    #[serde(borrow)]
    pub(crate) content: Content<'a>,
    /// What there is more to an envelope. (Its stanzas wrap the content key, so the fields for that are empty.)
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub(crate) native: Option<Native<'a>>,
}

impl<'a> FileRecord<'a> {
    /// The blob that holds the ciphertext, if one does.
    pub(crate) fn blob(&self) -> Option<&BlobRef<'a>> {
        match &self.content {
            Content::Inline(_) => None,
            Content::Blob(blob) => Some(blob),
        }
    }
}

/// The ciphertext of a file, or where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Content<'a> {
    /// Here.
    Inline(#[serde(borrow)] &'a Bytes),
    /// In a blob.
    #[serde(borrow)]
    Blob(BlobRef<'a>),
}

/// Where a large ciphertext is and what opens it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlobRef<'a> {
    /// The blob.
    pub(crate) id: BlobId,
    /// The key of its parts, 32 bytes.
    #[serde(borrow)]
    pub(crate) key: &'a Bytes,
    /// How many parts it has.
    pub(crate) parts: u32,
}

impl std::fmt::Debug for BlobRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobRef").field("id", &self.id).field("parts", &self.parts).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(content: Content<'_>) -> FileRecord<'_> {
        FileRecord {
            created_at: Timestamp::from_ms(7),
            size_bytes: 3,
            wrapped_key: Bytes::new(b"key"),
            wrapped_vector: Bytes::new(b"iv"),
            content,
            native: None,
        }
    }

    #[test]
    fn a_record_that_was_written_before_there_were_envelopes_is_read() {
        #[derive(Serialize)]
        struct Earlier<'a> {
            created_at: Timestamp,
            size_bytes: u64,
            wrapped_key: &'a Bytes,
            wrapped_vector: &'a Bytes,
            content: Content<'a>,
        }
        let (wrapped_key, wrapped_vector) = (Bytes::new(b"key"), Bytes::new(b"iv"));
        let content = Content::Inline(Bytes::new(b"abc"));
        let created_at = Timestamp::from_ms(7);
        let earlier = Earlier { created_at, size_bytes: 3, wrapped_key, wrapped_vector, content };
        let bytes = rmp_serde::to_vec_named(&earlier).unwrap();
        let read: FileRecord<'_> = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(read, record(Content::Inline(Bytes::new(b"abc"))));
        assert_eq!(rmp_serde::to_vec_named(&read).unwrap(), bytes, "and is written as it always was");
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let id = BlobId::from_bytes([3; 16]);
        let blob = BlobRef { id, key: Bytes::new(&[9; 32]), parts: 2 };
        for content in [Content::Inline(Bytes::new(b"abc")), Content::Blob(blob)] {
            let record = record(content);
            let bytes = rmp_serde::to_vec_named(&record).unwrap();
            assert_eq!(rmp_serde::from_slice::<FileRecord<'_>>(&bytes).unwrap(), record);
        }
    }

    #[test]
    fn a_record_of_a_later_version_with_more_fields_is_still_read() {
        #[derive(Serialize)]
        struct Later<'a> {
            #[serde(flatten)]
            record: FileRecord<'a>,
            colour: &'a str,
        }
        let later = Later { record: record(Content::Inline(Bytes::new(b"abc"))), colour: "blue" };
        let bytes = rmp_serde::to_vec_named(&later).unwrap();
        let read: FileRecord<'_> = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(read.content, Content::Inline(Bytes::new(b"abc")));
    }

    #[test]
    fn a_name_is_found_in_its_key_and_in_no_other() {
        let name: FileName = "報告 2026.bin".parse().unwrap();
        assert_eq!(name_in(&name_key(&name)), Some(name.as_str()));
        assert_eq!(name_in(&trash_key(&name)), None);
        assert_eq!(trashed_name_in(&trash_key(&name)), Some(name.as_str()));
        assert!(
            trash_range("", None).contains(&trash_key(&name))
                && !trash_range("", None).contains(&name_key(&name))
        );
        assert_eq!(name_in(&dropped_key(BlobId::from_bytes([0; 16]))), None);
        assert!(name_range("報", None).contains(&name_key(&name)));
        assert!(!name_range("", Some(name.as_str())).contains(&name_key(&name)));
        let in_folder: FileName = "a/b".parse().unwrap();
        let behind: FileName = "a0".parse().unwrap();
        assert!(name_range("", Some("a")).contains(&name_key(&in_folder)));
        assert!(!name_range("", Some("a/")).contains(&name_key(&in_folder)));
        assert!(name_range("", Some("a/")).contains(&name_key(&behind)));
        assert!(!name_range("b", Some("a/")).contains(&name_key(&behind)), "the prefix counts still");
    }

    #[test]
    fn debug_does_not_show_a_blobs_key() {
        let blob = BlobRef { id: BlobId::from_bytes([0; 16]), key: Bytes::new(b"planted"), parts: 1 };
        assert!(!format!("{:?}", Content::Blob(blob)).contains("planted"));
    }
}
