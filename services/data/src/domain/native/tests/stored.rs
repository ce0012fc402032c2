//! Storing and reading.

use std::sync::atomic::Ordering;

use coffer_api::internal::Access;
use coffer_core::limits::{BLOB_PART_BYTES, INLINE_BYTES_MAX};
use coffer_crypto::envelope::Refusal;

use super::*;
use crate::domain::collector::COLLECT_AFTER;
use crate::domain::files::Envelope;

#[tokio::test(start_paused = true)]
async fn an_envelope_of_any_length_comes_back_byte_for_byte_however_it_arrived() {
    let desk = desk().await;
    let (part, inline) = (BLOB_PART_BYTES, INLINE_BYTES_MAX);
    let sizes =
        [1, inline, inline + 1, part, part + inline, part + inline + 1, 2 * part + inline, 3 * part + 5];
    for (number, size) in sizes.into_iter().enumerate() {
        let (text, bytes) = (format!("{size}.bin"), envelope(u8::try_from(number).unwrap(), size));
        for (version, piece) in [(1, 1 + size / 7), (2, 64 * 1024), (3, bytes.len())] {
            let pieces = bytes.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
            let stored = desk.put_pieces(&text, (version, Condition::default()), pieces).await.unwrap();
            assert_eq!((stored.size_bytes, stored.is_new), (bytes.len() as u64, version == 1));
            assert!(desk.read(&text, None).await.unwrap() == bytes, "{size} in pieces of {piece}");
        }
    }
    let parts = desk.blobs.parts.lock().unwrap();
    assert!(parts.values().all(|part| part.len() <= BLOB_PART_BYTES + INLINE_BYTES_MAX + 16));
}

#[tokio::test(start_paused = true)]
async fn a_range_reads_only_the_parts_that_it_needs() {
    let desk = desk().await;
    let bytes = envelope(1, 5 * BLOB_PART_BYTES + 100);
    desk.put("f", 1, &bytes).await.unwrap();
    let file = desk.find("f", None).await.unwrap();
    let (head, part) = (HEAD.len() as u64, BLOB_PART_BYTES as u64);
    for (range, reads) in [
        (0..head, 0),
        (0..1, 0),
        (head - 1..head + 1, 1),
        (head + part - 512..head + part + 512, 2),
        (head + 2 * part..head + 2 * part + 1024, 1),
        (file.size_bytes - 1..file.size_bytes, 1),
        (head + 5 * part - 1..file.size_bytes, 1),
        (0..file.size_bytes, 5),
    ] {
        let before = desk.blobs.reads.load(Ordering::SeqCst);
        let read = desk.range(&file, range.clone()).await.unwrap();
        let at = |position: u64| usize::try_from(position).unwrap();
        assert!(read == bytes[at(range.start)..at(range.end)], "{range:?}");
        assert_eq!(desk.blobs.reads.load(Ordering::SeqCst) - before, reads, "{range:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_begin_as_an_envelope_is_refused_as_soon_as_that_is_seen() {
    let desk = desk().await;
    let whole = envelope(1, 10);
    let mut other_magic = whole.clone();
    other_magic[0] ^= 1;
    let mut no_stanza = whole.clone();
    no_stanza[100] = 0;
    for bytes in [&[][..], &whole[..50], &whole[..99], &whole[..HEAD.len()], &other_magic, &no_stanza] {
        let refused = desk.put("f", 1, bytes).await;
        assert!(matches!(refused, Err(LibraryError::NotAnEnvelope(_))), "{refused:?}");
    }
    // Nothing but the start was asked for.
    let pieces = vec![Ok(Bytes::from(vec![7; 100])), Err(())];
    let refused = desk.put_pieces("f", (1, Condition::default()), pieces).await;
    assert!(matches!(refused, Err(LibraryError::NotAnEnvelope(Refusal::NotAnEnvelope))), "{refused:?}");
    assert!(matches!(desk.find("f", None).await, Err(LibraryError::NotFound)));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_leaves_nothing() {
    let desk = desk().await;
    let bytes = envelope(1, 4 * BLOB_PART_BYTES);
    desk.put("kept", 1, &bytes).await.unwrap();
    let before = desk.blobs.ids();
    for cut in [10, 100, 700, 100_000, 2 * BLOB_PART_BYTES, bytes.len()] {
        for text in ["f", "kept"] {
            let pieces = bytes[..cut].chunks(60_000).map(|piece| Ok(Bytes::copy_from_slice(piece)));
            let pieces = pieces.chain([Err(())]).collect();
            let broken = desk.put_pieces(text, (2, Condition::default()), pieces).await;
            assert!(matches!(broken, Err(LibraryError::Interrupted)), "{cut}: {broken:?}");
        }
    }
    assert!(matches!(desk.find("f", None).await, Err(LibraryError::NotFound)));
    assert_eq!(desk.find("kept", None).await.unwrap().tag.version, 1);
    assert_eq!(desk.blobs.ids(), before, "at once, without the collector");
    desk.later(2 * COLLECT_AFTER);
    assert_eq!(desk.collect().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_version_must_be_later_and_a_condition_must_hold() {
    let desk = desk().await;
    let absent = || Condition { if_none_match: Some(Tags::Any), ..Condition::default() };
    let matching = |if_match| Condition { if_match, ..Condition::default() };
    let put = async |version, condition| desk.put_if("f", (version, condition), &envelope(1, 9)).await;
    assert!(matches!(put(5, matching(Some(Tags::Any))).await, Err(LibraryError::Changed)));
    put(5, absent()).await.unwrap();
    for version in [1, 4, 5] {
        assert!(matches!(put(version, Condition::default()).await, Err(LibraryError::Conflict)));
    }
    assert!(matches!(put(6, absent()).await, Err(LibraryError::Changed)));
    let first = Some(tag_of(&desk.find("f", None).await.unwrap()));
    put(6, matching(first.clone())).await.unwrap();
    assert!(matches!(put(7, matching(first)).await, Err(LibraryError::Changed)));
    put(8, matching(Some(Tags::Any))).await.unwrap();
    assert_eq!(desk.versions("f").await, [8, 6, 5]);
}

#[tokio::test(start_paused = true)]
async fn of_many_versions_at_once_the_latest_stays_and_none_is_mixed() {
    let desk = desk().await;
    let size = INLINE_BYTES_MAX + 1;
    let contents: Vec<_> = (1..=12).map(|version: u8| envelope(version, size)).collect();
    let puts = contents.iter().zip(1..).map(|(bytes, version)| desk.put("f", version, bytes));
    let outcomes = all(puts).await;
    for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(matches!(refused, LibraryError::Conflict), "{refused:?}");
    }
    let kept = desk.versions("f").await;
    assert_eq!(kept[0], 12);
    assert_eq!(kept.len(), outcomes.iter().filter(|outcome| outcome.is_ok()).count());
    for version in &kept {
        let at = usize::try_from(*version).unwrap() - 1;
        assert!(desk.read("f", Some(*version)).await.unwrap() == contents[at], "{version}");
    }
    assert_eq!(desk.blobs.ids().len(), kept.len(), "the losers left nothing");
    assert_eq!(desk.named(&["f"]).await, desk.blobs.ids());
}

#[tokio::test(start_paused = true)]
async fn both_surfaces_know_of_each_others_files_and_touch_none() {
    let desk = desk().await;
    let caller = desk.ann;
    let classic =
        Envelope { data: b"classic".to_vec(), wrapped_key: b"k".to_vec(), wrapped_vector: b"v".to_vec() };
    let (old, new) = (name("old"), name("new"));
    let (old, new) = (Wanted { name: &old, owner: None }, Wanted { name: &new, owner: None });
    desk.library.upload(&caller, old, &classic).await.unwrap();
    desk.put("new", 1, &envelope(1, 9)).await.unwrap();
    assert!(matches!(desk.put("old", 1, &envelope(1, 9)).await, Err(LibraryError::Exists)));
    assert!(matches!(desk.library.upload(&caller, new, &classic).await, Err(LibraryError::Exists)));
    assert!(matches!(desk.find("old", None).await, Err(LibraryError::NotFound)));
    assert!(matches!(desk.find("old", Some(1)).await, Err(LibraryError::NotFound)));
    assert!(matches!(desk.library.find_classic(&caller, new).await, Err(LibraryError::NotFound)));
    assert!(matches!(desk.delete("old").await, Err(LibraryError::NotFound)));
    assert!(desk.library.find_classic(&caller, old).await.is_ok());
    let mut listing = desk.library.list(&caller).unwrap();
    let mut names = Vec::new();
    while let Some(piece) = listing.next().await.unwrap() {
        piece.for_each_name(|name| names.push(name.to_owned()));
    }
    assert_eq!(names, ["new", "old"]);
}

#[tokio::test(start_paused = true)]
async fn another_owners_file_is_written_only_if_he_is_named_and_the_kms_allows_it() {
    let desk = desk().await;
    let (caller, text, owner) = (desk.ann, name("f"), "bob@example.com".parse().unwrap());
    let put = async |caller: &Caller, named: bool| {
        let wanted = Wanted { name: &text, owner: named.then_some(&owner) };
        let order = PutOrder { wanted, version: 1, condition: Condition::default() };
        let pieces = stream::iter([Ok::<_, ()>(Bytes::from(envelope(1, 9)))]);
        desk.library.put((caller, Reader::User(user(1))), &order, pieces).await
    };
    for access in [Access::NotFound, Access::Denied] {
        desk.world.kms.set_access("f", Some("bob@example.com"), access);
        assert!(matches!(put(&caller, true).await, Err(LibraryError::Denied)));
        let wanted = Wanted { name: &text, owner: Some(&owner) };
        let deleted = desk.library.delete(&caller, wanted, &Condition::default()).await;
        assert!(matches!(deleted, Err(LibraryError::Denied)));
    }
    let found = Access::Found { space: user(2), expires_at: None };
    desk.world.kms.set_access("f", None, found);
    desk.world.kms.set_access("f", Some("bob@example.com"), found);
    put(&caller, false).await.unwrap();
    assert!(desk.library.files().unwrap().exists(user(1), &text).await.unwrap());
    assert!(!desk.library.files().unwrap().exists(user(2), &text).await.unwrap());
    put(&caller, true).await.unwrap();
    assert!(desk.library.files().unwrap().exists(user(2), &text).await.unwrap());
    assert!(matches!(put(&Caller::Anybody, false).await, Err(LibraryError::Denied)));
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_gives_signs_of_life_is_not_collected_and_one_that_does_not_is() {
    let desk = desk().await;
    let bytes = envelope(1, 6 * BLOB_PART_BYTES);
    for (pause, survives) in [(COLLECT_AFTER / 2, true), (COLLECT_AFTER * 2, false)] {
        let (text, order_name) = (format!("{survives}"), name(&format!("{survives}")));
        let wanted = Wanted { name: &order_name, owner: None };
        let order = PutOrder { wanted, version: 1, condition: Condition::default() };
        let pieces = stream::iter(bytes.chunks(BLOB_PART_BYTES)).then(|piece| async {
            desk.later(pause);
            desk.collect().await;
            Ok::<_, ()>(piece.to_vec())
        });
        let caller = desk.ann;
        let sender = Reader::User(user(1));
        let put = desk.library.put((&caller, sender), &order, Box::pin(pieces)).await;
        assert_eq!(put.is_ok(), survives, "{put:?}");
        assert_eq!(desk.read(&text, None).await.ok(), survives.then(|| bytes.clone()));
    }
    desk.later(2 * COLLECT_AFTER);
    desk.collect().await;
    assert_eq!(desk.blobs.ids().len(), 1, "nothing is left of the other");
}

#[tokio::test(start_paused = true)]
async fn who_uploads_more_at_once_than_he_may_is_asked_to_wait() {
    let desk = desk().await;
    let _held = [
        desk.library.uploads.take(Reader::User(user(1))).await,
        desk.library.uploads.take(Reader::User(user(1))).await,
        desk.library.uploads.take(Reader::User(user(1))).await,
        desk.library.uploads.take(Reader::User(user(1))).await,
    ];
    let refused = desk.put("large", 1, &envelope(1, INLINE_BYTES_MAX + 1)).await;
    assert!(matches!(refused, Err(LibraryError::Busy)), "{refused:?}");
    desk.put("small", 1, &envelope(1, INLINE_BYTES_MAX)).await.unwrap();
}
