//! Versions and trash: what is kept, for how long, and that nothing else is.

use coffer_core::limits::INLINE_BYTES_MAX;
use coffer_store::records::COLLECT_SLACK;

use super::*;
use crate::domain::files::Envelope;

const DAY: Duration = Duration::from_hours(24);
const LARGE: usize = INLINE_BYTES_MAX + 1;

fn keeping(versions_max: usize, days: u32, trash_days: u32) -> Keeping {
    Keeping { versions_max, versions: DAY * days, trash: DAY * trash_days, ..Keeping::default() }
}

#[tokio::test(start_paused = true)]
async fn a_version_is_read_until_its_time_is_over_and_then_its_content_goes() {
    let desk = desk_keeping(keeping(20, 3, 1)).await;
    for version in 1..=3 {
        desk.put("f", version, &envelope(u8::try_from(version).unwrap(), LARGE)).await.unwrap();
        desk.later(DAY);
    }
    assert_eq!(desk.versions("f").await, [3, 2, 1]);
    assert!(desk.read("f", Some(1)).await.unwrap() == envelope(1, LARGE));
    assert!(matches!(desk.read("f", Some(4)).await, Err(LibraryError::VersionNotFound)));
    desk.later(DAY);
    assert_eq!(desk.versions("f").await, [3, 2]);
    assert!(matches!(desk.read("f", Some(1)).await, Err(LibraryError::VersionNotFound)));
    desk.later(COLLECT_SLACK);
    assert_eq!((desk.collect().await, desk.blobs.ids().len()), (1, 2));
    desk.later(DAY);
    assert_eq!((desk.collect().await, desk.blobs.ids().len()), (1, 1));
    desk.later(100 * DAY);
    assert_eq!((desk.collect().await, desk.versions("f").await), (0, vec![3]));
    assert!(desk.read("f", None).await.unwrap() == envelope(3, LARGE));
}

#[tokio::test(start_paused = true)]
async fn no_more_versions_are_kept_than_are_wanted() {
    for (versions_max, days) in [(2, 3), (0, 3), (2, 0)] {
        let desk = desk_keeping(keeping(versions_max, days, 1)).await;
        for version in 1..=6 {
            desk.put("f", version, &envelope(u8::try_from(version).unwrap(), LARGE)).await.unwrap();
        }
        let kept: &[u64] = if versions_max == 2 && days > 0 { &[6, 5, 4] } else { &[6] };
        assert_eq!(desk.versions("f").await, kept);
        desk.later(COLLECT_SLACK);
        desk.collect().await;
        assert_eq!(desk.blobs.ids().len(), kept.len(), "{versions_max} {days}");
        for version in kept {
            let read = desk.read("f", Some(*version)).await.unwrap();
            assert!(read == envelope(u8::try_from(*version).unwrap(), LARGE));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deleted_file_comes_back_with_its_versions_and_is_gone_after_its_time() {
    let desk = desk_keeping(keeping(20, 30, 7)).await;
    for version in 1..=3 {
        desk.put("f", version, &envelope(u8::try_from(version).unwrap(), LARGE)).await.unwrap();
    }
    let before = desk.find("f", None).await.unwrap().tag;
    desk.delete("f").await.unwrap();
    assert!(matches!(desk.find("f", None).await, Err(LibraryError::NotFound)));
    assert!(matches!(desk.delete("f").await, Err(LibraryError::NotFound)));
    assert_eq!(desk.versions("f").await, [3, 2, 1], "its owner sees what there was");
    assert!(desk.read("f", Some(2)).await.unwrap() == envelope(2, LARGE));
    let caller = desk.ann;
    let trash = desk.library.trash(&caller, None, 10).await.unwrap().items;
    assert_eq!((trash.len(), &*trash[0].file_name, trash[0].version), (1, "f", 3));
    assert_eq!(trash[0].kept_until, trash[0].deleted_at.plus(7 * DAY));

    desk.later(6 * DAY);
    desk.collect().await;
    assert_eq!(desk.restore("f").await.unwrap().tag, before);
    assert!(desk.library.trash(&caller, None, 10).await.unwrap().items.is_empty());
    assert!(matches!(desk.restore("f").await, Err(LibraryError::Exists)));
    // When the time of the deleted one would have been over.
    desk.later(2 * DAY);
    desk.collect().await;
    assert_eq!(desk.versions("f").await, [3, 2, 1]);
    assert!(desk.read("f", None).await.unwrap() == envelope(3, LARGE));

    desk.delete("f").await.unwrap();
    desk.later(7 * DAY);
    assert!(matches!(desk.restore("f").await, Err(LibraryError::NotFound)));
    assert!(desk.library.trash(&caller, None, 10).await.unwrap().items.is_empty());
    desk.later(30 * DAY);
    desk.collect().await;
    assert!(desk.blobs.ids().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_name_that_was_deleted_is_free_and_goes_on_where_it_was() {
    let desk = desk().await;
    desk.put("f", 4, &envelope(4, LARGE)).await.unwrap();
    desk.delete("f").await.unwrap();
    let absent = Condition { if_none_match: Some(Tags::Any), ..Condition::default() };
    let refused = desk.put_if("f", (4, absent.clone()), &envelope(5, 9)).await;
    assert!(matches!(refused, Err(LibraryError::Conflict)), "{refused:?}");
    assert!(desk.put_if("f", (5, absent), &envelope(5, 9)).await.unwrap().is_new);
    assert_eq!(desk.versions("f").await, [5, 4]);
    assert!(desk.read("f", Some(4)).await.unwrap() == envelope(4, LARGE));
    assert!(matches!(desk.restore("f").await, Err(LibraryError::Exists)));
    desk.delete("f").await.unwrap();
    assert_eq!(desk.restore("f").await.unwrap().tag.version, 5, "what was deleted last");
}

#[tokio::test(start_paused = true)]
async fn without_a_trash_a_deleted_file_is_gone_at_once_with_all_of_its_versions() {
    let desk = desk_keeping(keeping(20, 30, 0)).await;
    for version in 1..=3 {
        desk.put("f", version, &envelope(u8::try_from(version).unwrap(), LARGE)).await.unwrap();
    }
    desk.delete("f").await.unwrap();
    assert!(desk.versions("f").await.is_empty());
    assert!(matches!(desk.restore("f").await, Err(LibraryError::NotFound)));
    assert!(matches!(desk.read("f", Some(2)).await, Err(LibraryError::NotFound)));
    desk.later(COLLECT_SLACK);
    assert_eq!((desk.collect().await, desk.blobs.ids().len()), (3, 0));
    desk.put("f", 1, &envelope(9, 9)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_classic_file_in_the_place_of_a_deleted_one_keeps_it_in_the_trash() {
    let desk = desk().await;
    desk.put("f", 1, &envelope(1, LARGE)).await.unwrap();
    desk.delete("f").await.unwrap();
    let files = desk.library.files().unwrap();
    assert!(
        files.is_kept(user(1), &name("f")).await.unwrap()
            && !files.exists(user(1), &name("f")).await.unwrap()
    );
    let classic = Envelope { data: vec![1; LARGE], wrapped_key: vec![1], wrapped_vector: vec![2] };
    let (caller, text) = (desk.ann, name("f"));
    desk.library.upload(&caller, Wanted { name: &text, owner: None }, &classic).await.unwrap();
    assert!(matches!(desk.restore("f").await, Err(LibraryError::Exists)));
    assert_eq!(desk.blobs.ids().len(), 2);
    desk.later(100 * DAY);
    desk.collect().await;
    assert_eq!(desk.blobs.ids().len(), 1, "that of the classic file");
}
