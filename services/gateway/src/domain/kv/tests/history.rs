use std::sync::Arc;
use std::time::Duration;

use coffer_core::SystemRandom;

use super::super::{Condition, Difference, Edit, Kv, KvError, KvSettings, PutRequest};
use super::bed::{Bed, ann, anns, blob, key, noise, request};

const DAY: Duration = Duration::from_hours(24);

async fn versions(bed: &Bed, name: &str) -> Vec<u64> {
    let history = bed.kv.history(&ann(), anns(), &key(name)).await.unwrap();
    history.into_iter().map(|meta| meta.version).collect()
}

#[tokio::test]
async fn every_version_that_is_kept_can_be_read_compared_and_brought_back() {
    let bed = Bed::memory();
    for value in ["{\"a\":1}", "{\"a\":2}", "{\"a\":2,\"b\":3}"] {
        bed.put("k", value).await;
    }
    assert_eq!(versions(&bed, "k").await, [3, 2, 1]);
    assert_eq!(bed.get_version("k", Some(1)).await.unwrap(), "{\"a\":1}");
    assert_eq!(bed.get_version("k", Some(3)).await.unwrap(), "{\"a\":2,\"b\":3}");
    for missing in [0, 4] {
        assert!(matches!(bed.get_version("k", Some(missing)).await, Err(KvError::VersionNotFound)));
    }
    let compared = bed.kv.diff(&ann(), anns(), &key("k"), (1, 3)).await.unwrap();
    let Difference::Json { edits, .. } = compared.difference else { panic!("JSON is compared as JSON") };
    let [Edit::Replaced { path, from, to }, Edit::Added { path: new, value }] = &edits[..] else {
        panic!("{edits:?}")
    };
    assert_eq!((&**path, from.get(), to.get()), ("/a", "1", "2"));
    assert_eq!((&**new, value.get()), ("/b", "3"));
    let restored = bed.kv.restore(&ann(), anns(), &key("k"), (1, Condition::None)).await.unwrap();
    assert_eq!((restored.version, bed.get("k").await.as_deref()), (4, Some("{\"a\":1}")));
    let stale = bed.kv.restore(&ann(), anns(), &key("k"), (2, Condition::Revision(1))).await;
    assert!(matches!(stale, Err(KvError::Conflict { .. })));
    // What another process reads and writes is the same history.
    let other = bed.another();
    let history = other.history(&ann(), anns(), &key("k")).await.unwrap();
    assert_eq!(history, bed.kv.history(&ann(), anns(), &key("k")).await.unwrap());
    assert_eq!(history[0].revision, restored.revision);
}

#[tokio::test]
async fn history_ends_by_number_by_age_and_by_a_versions_own_expiry() {
    let settings = KvSettings { versions_per_key_max: 3, history_days: 2, ..KvSettings::default() };
    let bed = Bed::memory_with(settings);
    for number in 0..6 {
        bed.put("k", &number.to_string()).await;
    }
    assert_eq!(versions(&bed, "k").await, [6, 5, 4, 3]);
    assert!(matches!(bed.get_version("k", Some(2)).await, Err(KvError::VersionNotFound)));
    bed.clock.advance(DAY);
    let soon = PutRequest { expires_at: Some(bed.after(Duration::from_secs(9))), ..request("k", "6") };
    bed.kv.put(&ann(), anns(), &soon).await.unwrap();
    bed.put("k", "7").await;
    assert_eq!(versions(&bed, "k").await, [8, 7, 6, 5]);
    bed.clock.advance(Duration::from_secs(9));
    assert_eq!(versions(&bed, "k").await, [8, 6, 5], "a value does not outlive its expiry in the history");
    bed.clock.advance(DAY);
    assert_eq!(versions(&bed, "k").await, [8, 6], "the fifth was replaced two days ago, the sixth one");
    assert_eq!(bed.get("k").await.as_deref(), Some("7"));
}

#[tokio::test]
async fn large_values_have_a_history_too_and_leave_nothing_behind() {
    let settings = KvSettings { versions_per_key_max: 2, ..KvSettings::default() };
    let bed = Bed::memory_with(settings);
    let large = |size| PutRequest { value: blob(noise(size)), ..request("k", "0") };
    for size in [5_000, 1_100_000, 6_000, 7_000] {
        bed.kv.put(&ann(), anns(), &large(size)).await.unwrap();
    }
    let second = bed.kv.get(&ann(), anns(), &key("k"), Some(2)).await.unwrap();
    assert!(second.value == blob(noise(1_100_000)));
    assert_eq!(bed.parts().await, 1 + 2 + 1, "those of the first version are gone");
    bed.kv.delete(&ann(), anns(), &key("k"), Condition::None).await.unwrap();
    bed.clock.advance(31 * DAY);
    bed.kv.collect().await.unwrap();
    assert_eq!(bed.parts().await, 0);
}

#[tokio::test]
async fn without_history_nothing_of_a_replaced_value_is_kept() {
    let settings = KvSettings { versions_per_key_max: 0, trash_days: 0, ..KvSettings::default() };
    let bed = Bed::memory_with(settings);
    for _ in 0..3 {
        let large = PutRequest { value: blob(noise(9_000)), ..request("k", "0") };
        bed.kv.put(&ann(), anns(), &large).await.unwrap();
    }
    assert_eq!((versions(&bed, "k").await, bed.parts().await), (vec![3], 1));
    bed.kv.delete(&ann(), anns(), &key("k"), Condition::None).await.unwrap();
    assert_eq!(bed.parts().await, 0);
    assert!(matches!(bed.kv.restore_from_trash(&ann(), &key("k")).await, Err(KvError::NotInTrash)));
}

#[tokio::test]
async fn settings_that_keep_less_than_before_let_the_rest_go() {
    let many = KvSettings { versions_per_key_max: 64, ..KvSettings::default() };
    let bed = Bed::memory_with(many);
    let large = PutRequest { value: blob(noise(5_000)), ..request("k", "0") };
    for _ in 0..30 {
        bed.kv.put(&ann(), anns(), &large).await.unwrap();
    }
    assert_eq!(bed.parts().await, 30);
    let fewer = KvSettings { versions_per_key_max: 2, trash_days: 0, ..many };
    let kv = Kv::new(&bed.sealed, fewer, bed.clock.clone(), Arc::new(SystemRandom));
    kv.put(&ann(), anns(), &large).await.unwrap();
    assert_eq!(bed.parts().await, 31 - 8, "not all at once");
    for _ in 0..4 {
        kv.put(&ann(), anns(), &large).await.unwrap();
    }
    assert_eq!(bed.parts().await, 3);
    bed.kv.put(&ann(), anns(), &large).await.unwrap();
    kv.delete(&ann(), anns(), &key("k"), Condition::None).await.unwrap();
    assert_eq!(bed.parts().await, 0);
}
