//! How files are kept: small and large, interrupted and collected.

use std::sync::Arc;

use coffer_core::limits::{BLOB_PART_BYTES, INLINE_BYTES_MAX};
use coffer_core::{Clock as _, FileName, ManualClock};
use coffer_kms_link::testing::{START, user};
use futures_util::TryStreamExt as _;

use super::collector::COLLECT_AFTER;
use super::files::{Envelope, Files, Uploaded};
use super::testing::{FakeBlobs, files};
use crate::repo::{Content, SHARDS};

struct Shelf {
    clock: Arc<ManualClock>,
    blobs: Arc<FakeBlobs>,
    files: Files,
}

fn shelf() -> Shelf {
    let (clock, blobs) = (Arc::new(ManualClock::at(START)), Arc::new(FakeBlobs::default()));
    let files = files(&clock, &blobs);
    Shelf { clock, blobs, files }
}

fn name(text: &str) -> FileName {
    text.parse().unwrap()
}

fn envelope(size: usize) -> Envelope {
    let data = (0..size).map(|i| u8::try_from(i * 31 % 251).unwrap()).collect();
    Envelope { data, wrapped_key: b"wrapped key".to_vec(), wrapped_vector: b"wrapped vector".to_vec() }
}

impl Shelf {
    async fn put(&self, text: &str, size: usize) -> Uploaded {
        self.files.put(user(1), &name(text), &envelope(size)).await.unwrap()
    }

    async fn content(&self, text: &str) -> Option<Vec<u8>> {
        let file = self.files.get(user(1), &name(text)).await.unwrap()?;
        let record = file.record().unwrap();
        assert_eq!(&**record.wrapped_key, b"wrapped key");
        assert_eq!(&**record.wrapped_vector, b"wrapped vector");
        let data = match &record.content {
            Content::Inline(data) => data.to_vec(),
            Content::Blob(blob) => self.files.read(blob).unwrap().try_concat().await.unwrap(),
        };
        assert_eq!(data.len() as u64, record.size_bytes);
        Some(data)
    }

    fn parts(&self) -> usize {
        self.blobs.parts.lock().unwrap().len()
    }
}

#[tokio::test]
async fn content_of_any_size_comes_back_as_it_was() {
    let shelf = shelf();
    let part = BLOB_PART_BYTES;
    let inline = INLINE_BYTES_MAX;
    for size in [0, 1, inline, inline + 1, part, part + 16, part + inline, part + inline + 1, 3 * part + 5] {
        let text = format!("{size}.bin");
        assert_eq!(shelf.put(&text, size).await, Uploaded::Stored);
        assert!(shelf.content(&text).await.unwrap() == envelope(size).data, "{size}");
    }
}

#[tokio::test]
async fn small_content_makes_no_blob_and_a_round_megabyte_makes_one_part() {
    let shelf = shelf();
    shelf.put("small", INLINE_BYTES_MAX).await;
    assert_eq!(shelf.parts(), 0);
    shelf.put("large", BLOB_PART_BYTES + 16).await;
    assert_eq!(shelf.parts(), 1);
}

#[tokio::test]
async fn a_second_upload_under_a_name_changes_nothing() {
    let shelf = shelf();
    for (text, size) in [("small", 10), ("large", INLINE_BYTES_MAX * 2)] {
        shelf.put(text, size).await;
        let parts = shelf.parts();
        assert_eq!(shelf.put(text, 20).await, Uploaded::Exists);
        assert_eq!(shelf.put(text, INLINE_BYTES_MAX * 3).await, Uploaded::Exists);
        assert!(shelf.content(text).await.unwrap() == envelope(size).data);
        assert_eq!(shelf.parts(), parts, "the loser leaves nothing behind");
    }
}

#[tokio::test]
async fn of_many_uploads_of_one_name_at_once_exactly_one_is_kept() {
    let shelf = shelf();
    let large = INLINE_BYTES_MAX + 1;
    let uploads = (0..8).map(|_| shelf.put("same", large));
    let outcomes = futures_util::future::join_all(uploads).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Uploaded::Stored).count(), 1);
    assert_eq!(shelf.parts(), 1);
}

#[tokio::test]
async fn two_owners_may_use_the_same_name() {
    let shelf = shelf();
    shelf.put("report.pdf", 10).await;
    let other = shelf.files.put(user(2), &name("report.pdf"), &envelope(20)).await.unwrap();
    assert_eq!(other, Uploaded::Stored);
    assert_eq!(shelf.content("report.pdf").await.unwrap().len(), 10);
}

#[tokio::test]
async fn an_interrupted_upload_is_invisible_blocks_nobody_and_is_collected() {
    let shelf = shelf();
    *shelf.blobs.fails_from_part.lock().unwrap() = Some(2);
    let failed = shelf.files.put(user(1), &name("f"), &envelope(4 * BLOB_PART_BYTES)).await;
    assert!(failed.is_err());
    assert_eq!(shelf.content("f").await, None);
    assert!(shelf.parts() > 0, "the test needs something that is left behind");
    *shelf.blobs.fails_from_part.lock().unwrap() = None;
    assert_eq!(shelf.put("f", 10).await, Uploaded::Stored);

    assert_eq!(shelf.files.collect().await.unwrap(), 0, "it is too young to be given up");
    shelf.clock.advance(COLLECT_AFTER);
    assert_eq!(shelf.files.collect().await.unwrap(), 1);
    assert_eq!(shelf.parts(), 0);
    assert_eq!(shelf.files.collect().await.unwrap(), 0);
    assert_eq!(shelf.content("f").await.unwrap().len(), 10);
}

#[tokio::test]
async fn a_published_blob_that_is_still_noted_as_staged_is_kept() {
    let shelf = shelf();
    // As if the process had died between publishing and forgetting.
    let large = INLINE_BYTES_MAX * 2;
    shelf.put("f", large).await;
    let file = shelf.files.get(user(1), &name("f")).await.unwrap().unwrap();
    let id = file.record().unwrap().blob().unwrap().id;
    shelf.files.stage(id, user(1), &name("f")).await.unwrap();
    shelf.clock.advance(COLLECT_AFTER);
    assert_eq!(shelf.files.collect().await.unwrap(), 0);
    assert_eq!(shelf.content("f").await.unwrap().len(), large);
    let shard = id.as_bytes()[15] % SHARDS;
    let noted = shelf.files.staging.older_than(shard, shelf.clock.now(), (None, 9)).await.unwrap();
    assert!(noted.0.is_empty(), "it is no longer noted");
}

#[tokio::test]
async fn a_part_that_was_changed_moved_or_lost_is_an_error_and_not_other_content() {
    let shelf = shelf();
    for fault in ["changed", "moved", "lost"] {
        shelf.put(fault, 3 * BLOB_PART_BYTES).await;
        let file = shelf.files.get(user(1), &name(fault)).await.unwrap().unwrap();
        let record = file.record().unwrap();
        let blob = record.blob().unwrap();
        {
            let mut parts = shelf.blobs.parts.lock().unwrap();
            let first = parts[&(blob.id, 0)].clone();
            match fault {
                "changed" => {
                    let mut bytes = first.to_vec();
                    bytes[100] ^= 1;
                    parts.insert((blob.id, 0), bytes.into());
                }
                "moved" => drop(parts.insert((blob.id, 1), first)),
                _ => drop(parts.remove(&(blob.id, 1))),
            }
        }
        assert!(shelf.files.read(blob).unwrap().try_concat().await.is_err(), "{fault}");
    }
}

#[tokio::test]
async fn a_file_exists_from_the_moment_it_is_kept() {
    let shelf = shelf();
    assert!(!shelf.files.exists(user(1), &name("a")).await.unwrap());
    shelf.put("a", 1).await;
    shelf.put("b/c", INLINE_BYTES_MAX + 1).await;
    assert!(shelf.files.exists(user(1), &name("a")).await.unwrap());
    assert!(shelf.files.exists(user(1), &name("b/c")).await.unwrap());
    assert!(!shelf.files.exists(user(1), &name("b")).await.unwrap());
    assert!(!shelf.files.exists(user(2), &name("a")).await.unwrap());
}
