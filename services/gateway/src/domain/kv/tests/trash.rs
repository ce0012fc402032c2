use std::time::Duration;

use super::super::{Condition, KvError, PutRequest};
use super::bed::{Bed, ann, anns, blob, bob, key, noise, request};

const DAY: Duration = Duration::from_hours(24);

async fn trashed(bed: &Bed) -> Vec<String> {
    let page = bed.kv.trash(&ann(), "", None, 100).await.unwrap();
    page.items.into_iter().map(|item| item.key).collect()
}

#[tokio::test]
async fn a_deleted_key_comes_back_from_the_trash_with_its_history() {
    let bed = Bed::memory();
    let first = bed.put("k", "1").await;
    bed.put("k", "2").await;
    bed.clock.advance(DAY);
    bed.kv.delete(&ann(), anns(), &key("k"), Condition::None).await.unwrap();
    assert_eq!((bed.get("k").await, trashed(&bed).await), (None, vec!["k".to_owned()]));
    assert!(bed.kv.trash(&bob(), "", None, 9).await.unwrap().items.is_empty());
    let back = bed.kv.restore_from_trash(&ann(), &key("k")).await.unwrap();
    assert_eq!((back.version, back.created_at), (3, first.created_at));
    assert_eq!((bed.get("k").await.as_deref(), trashed(&bed).await.len()), (Some("2"), 0));
    assert_eq!(bed.get_version("k", Some(1)).await.unwrap(), "1");
    assert_eq!(bed.get_version("k", Some(2)).await.unwrap(), "2");
}

#[tokio::test]
async fn a_key_that_was_stored_anew_is_in_the_way_of_its_earlier_life() {
    let bed = Bed::memory();
    bed.put("k", "1").await;
    bed.kv.delete(&ann(), anns(), &key("k"), Condition::None).await.unwrap();
    bed.put("k", "2").await;
    let refused = bed.kv.restore_from_trash(&ann(), &key("k")).await;
    assert!(matches!(refused, Err(KvError::Conflict { revision: Some(_) })), "{refused:?}");
    bed.kv.delete(&ann(), anns(), &key("k"), Condition::None).await.unwrap();
    bed.kv.restore_from_trash(&ann(), &key("k")).await.unwrap();
    assert_eq!(bed.get("k").await.as_deref(), Some("2"), "the later life");
}

#[tokio::test]
async fn the_trash_is_emptied_by_hand_and_by_time() {
    let bed = Bed::memory();
    for name in ["a", "b", "c"] {
        let large = PutRequest { value: blob(noise(9_000)), ..request(name, "0") };
        bed.kv.put(&ann(), anns(), &large).await.unwrap();
        bed.kv.delete(&ann(), anns(), &key(name), Condition::None).await.unwrap();
    }
    let page = bed.kv.trash(&ann(), "", None, 2).await.unwrap();
    assert_eq!((page.items.len(), page.next_cursor.as_deref()), (2, Some("b")));
    let rest = bed.kv.trash(&ann(), "", page.next_cursor.as_deref(), 2).await.unwrap();
    assert_eq!((rest.items[0].key.as_str(), rest.next_cursor), ("c", None));
    bed.kv.purge(&ann(), &key("a")).await.unwrap();
    assert_eq!((trashed(&bed).await.len(), bed.parts().await), (2, 2));
    for wrong in ["a", "never"] {
        assert!(matches!(bed.kv.purge(&ann(), &key(wrong)).await, Err(KvError::NotInTrash)));
        assert!(matches!(bed.kv.restore_from_trash(&ann(), &key(wrong)).await, Err(KvError::NotInTrash)));
    }
    bed.clock.advance(30 * DAY);
    assert!(trashed(&bed).await.is_empty());
    assert!(matches!(bed.kv.restore_from_trash(&ann(), &key("b")).await, Err(KvError::NotInTrash)));
    bed.kv.collect().await.unwrap();
    assert_eq!(bed.parts().await, 0);
}

#[tokio::test]
async fn an_expiring_key_does_not_outlive_its_expiry_in_the_trash() {
    let bed = Bed::memory();
    let expires_at = Some(bed.after(DAY));
    bed.kv.put(&ann(), anns(), &PutRequest { expires_at, ..request("k", "1") }).await.unwrap();
    bed.kv.delete(&ann(), anns(), &key("k"), Condition::None).await.unwrap();
    assert_eq!(bed.kv.restore_from_trash(&ann(), &key("k")).await.unwrap().expires_at, expires_at);
    bed.kv.delete(&ann(), anns(), &key("k"), Condition::None).await.unwrap();
    bed.clock.advance(DAY);
    assert!(trashed(&bed).await.is_empty());
}
