use std::sync::Arc;
use std::time::Duration;

use coffer_core::ManualClock;
use coffer_store::records::{Commit, SqliteRecords};
use coffer_store::testing::Observed;

use super::super::{Condition, KvError, ListRequest};
use super::bed::{Bed, START, ann, anns, bob, key};
use crate::repo::kv::keys;

const NAMES: [&str; 9] = ["a", "a/1", "a/2/x", "a/2/y", "a/3", "a0", "b/Report", "報告", "\u{10ffff}"];

async fn filled() -> Bed {
    let bed = Bed::memory();
    for name in NAMES.iter().rev() {
        bed.put(name, "1").await;
    }
    bed.put("gone", "1").await;
    bed.kv.delete(&ann(), anns(), &key("gone"), Condition::None).await.unwrap();
    bed
}

fn with(prefix: &str, limit: usize) -> ListRequest {
    ListRequest { prefix: prefix.to_owned(), limit, ..ListRequest::default() }
}

#[tokio::test]
async fn keys_are_listed_in_order_and_by_prefix() {
    let bed = filled().await;
    assert_eq!(bed.kv.names(&ann()).await.unwrap(), NAMES);
    assert!(bed.kv.names(&bob()).await.unwrap().is_empty());
    assert_eq!(bed.names(&with("", 100)).await, NAMES);
    assert_eq!(bed.names(&with("a/", 100)).await, ["a/1", "a/2/x", "a/2/y", "a/3"]);
    assert_eq!(bed.names(&with("報", 100)).await, ["報告"]);
    assert!(bed.names(&with("x", 100)).await.is_empty());
    let listing = bed.kv.list(&ann(), anns(), &with("a/1", 1)).await.unwrap();
    assert_eq!(listing.items[0].meta, bed.kv.meta(&ann(), anns(), &key("a/1")).await.unwrap());
    assert_eq!(listing.next_cursor, None);
    assert!(matches!(bed.kv.list(&bob(), anns(), &with("", 9)).await, Err(KvError::Denied)));
}

#[tokio::test]
async fn all_names_are_walked_in_pages_without_those_that_expired() {
    let bed = Bed::memory();
    let named = |letter: char, count: u32| (0..count).map(|i| format!("{letter}{i:05}")).collect::<Vec<_>>();
    let (stays, goes) = (named('s', 4_500), named('g', 2_100));
    bed.put_all(&stays, None).await;
    bed.put_all(&goes, Some(bed.after(Duration::from_secs(9)))).await;
    let mut all = [goes, stays.clone()].concat();
    all.sort_unstable();
    assert_eq!(bed.kv.names(&ann()).await.unwrap(), all);
    let mut walk = bed.kv.all_names(&ann());
    while let Some(page) = walk.next().await.unwrap() {
        assert!(page.len() <= 2_000, "{}", page.len());
    }
    bed.clock.advance(Duration::from_secs(9));
    assert_eq!(bed.kv.names(&ann()).await.unwrap(), stays);
}

#[tokio::test]
async fn more_expired_keys_than_are_remembered_are_left_out_all_the_same() {
    let bed = Bed::memory();
    let names: Vec<_> = (0..10_300).map(|i| format!("{i:05}")).collect();
    bed.put_all(&names, Some(bed.after(Duration::from_secs(9)))).await;
    bed.put("stays", "1").await;
    bed.clock.advance(Duration::from_secs(9));
    bed.put("00007", "1").await;
    assert_eq!(bed.kv.names(&ann()).await.unwrap(), ["00007", "stays"]);
}

#[tokio::test]
async fn what_has_expired_is_left_out_also_if_it_is_collected_meanwhile() {
    for head_start in 0..12 {
        let clock = Arc::new(ManualClock::at(START));
        let dir = tempfile::tempdir().unwrap();
        let records = SqliteRecords::open(&dir.path().join("records.db"), clock.clone()).unwrap();
        let records = Arc::new(Observed::new(Arc::new(records)).yielding());
        let bed = Bed::over(records, clock, super::super::KvSettings::default(), Box::new(dir));
        bed.put_all(&["gone".to_owned()], Some(bed.after(Duration::from_secs(9)))).await;
        bed.put("stays", "1").await;
        bed.clock.advance(Duration::from_secs(9));
        let walk = async {
            for _ in 0..head_start {
                tokio::task::yield_now().await;
            }
            bed.kv.names(&ann()).await.unwrap()
        };
        let (names, collected) = tokio::join!(walk, bed.kv.collect());
        assert_eq!((&names[..], collected.unwrap()), (&["stays".to_owned()][..], 1), "{head_start}");
    }
}

#[tokio::test]
async fn pages_join_to_the_whole_with_and_without_a_delimiter() {
    let bed = filled().await;
    for delimiter in [None, Some("/".to_owned()), Some("/2/".to_owned())] {
        let whole = ListRequest { delimiter: delimiter.clone(), ..with("", 100) };
        let whole = bed.kv.list(&ann(), anns(), &whole).await.unwrap();
        for limit in 1..6 {
            let mut request = ListRequest { delimiter: delimiter.clone(), ..with("", limit) };
            let (mut items, mut prefixes) = (Vec::new(), Vec::new());
            loop {
                let page = bed.kv.list(&ann(), anns(), &request).await.unwrap();
                assert!(page.items.len() + page.common_prefixes.len() <= limit);
                items.extend(page.items);
                prefixes.extend(page.common_prefixes);
                request.cursor = page.next_cursor;
                if request.cursor.is_none() {
                    break;
                }
            }
            assert_eq!((&items, &prefixes), (&whole.items, &whole.common_prefixes), "in pages of {limit}");
        }
    }
    let request = ListRequest { cursor: Some("x".to_owned()), ..with("", 9) };
    assert!(matches!(bed.kv.list(&ann(), anns(), &request).await, Err(KvError::Cursor)));
}

#[tokio::test]
async fn a_delimiter_folds_what_lies_behind_it() {
    let bed = filled().await;
    let folded = async |prefix: &str| {
        let request = ListRequest { delimiter: Some("/".to_owned()), ..with(prefix, 100) };
        let page = bed.kv.list(&ann(), anns(), &request).await.unwrap();
        (page.items.into_iter().map(|item| item.key).collect::<Vec<_>>(), page.common_prefixes)
    };
    let (names, prefixes) = folded("").await;
    assert_eq!(
        (names.join(" "), prefixes),
        ("a a0 報告 \u{10ffff}".to_owned(), vec!["a/".into(), "b/".into()])
    );
    let (names, prefixes) = folded("a/").await;
    assert_eq!((names, prefixes), (vec!["a/1".into(), "a/3".into()], vec!["a/2/".to_owned()]));
}

#[tokio::test]
async fn what_is_damaged_is_named_and_spoils_nothing_else() {
    let bed = filled().await;
    let spoil = Commit::new().put(&keys::current("a/1"), &b"not sealed"[..], None);
    bed.sealed.records().commit(&keys::partition(anns().owner), spoil).await.unwrap();
    let whole = bed.kv.list(&ann(), anns(), &with("", 100)).await.unwrap();
    assert_eq!(whole.damaged, ["a/1"]);
    assert!(whole.items.len() > 3 && whole.items.iter().all(|item| item.key != "a/1"));
    let sound = bed.kv.list(&ann(), anns(), &with("b", 100)).await.unwrap();
    assert!(sound.damaged.is_empty() && !sound.items.is_empty());
}

#[tokio::test]
async fn a_search_finds_a_text_anywhere_in_a_name() {
    let bed = filled().await;
    let found = async |text: &str, prefix: &str| {
        bed.names(&ListRequest { search: Some(text.to_owned()), ..with(prefix, 100) }).await
    };
    assert_eq!(found("rePORT", "").await, ["b/Report"]);
    assert_eq!(found("/2", "a").await, ["a/2/x", "a/2/y"]);
    assert!(found("report", "a").await.is_empty());
}
