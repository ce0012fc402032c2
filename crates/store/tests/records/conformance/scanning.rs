use std::collections::BTreeSet;

use bytes::Bytes;
use coffer_core::{Random as _, SeededRandom};
use coffer_store::records::{Commit, PAGE_BYTES_MAX, Record, Sort, SortRange};

use crate::bed::{Bed, key, part, raw};

/// Fills a partition with keys of random bytes, and answers them in order.
async fn fill(bed: &Bed, count: usize) -> Vec<Sort> {
    let random = SeededRandom::new(11);
    let mut sorts = BTreeSet::new();
    while sorts.len() < count {
        let mut bytes = [0; 6];
        random.fill(&mut bytes);
        // Few different bytes and lengths, so that many keys share a beginning.
        let length = usize::from(bytes[0] % 6);
        sorts.insert(raw(bytes[..length]
            .iter()
            .map(|byte| [0, 1, 127, 128, 255][usize::from(*byte) % 5])
            .collect::<Vec<_>>()));
    }
    let sorts: Vec<_> = sorts.into_iter().collect();
    for chunk in sorts.rchunks(100) {
        let commit = chunk
            .iter()
            .rev()
            .fold(Commit::new(), |commit, sort| commit.put(sort, sort.as_bytes().to_vec(), None));
        bed.commit(&part("p"), commit).await;
    }
    sorts
}

fn sorts_of(records: &[Record]) -> Vec<Sort> {
    records.iter().map(|record| record.sort.clone()).collect()
}

pub(super) async fn a_scan_is_in_bytewise_order(bed: Bed) {
    let sorts = fill(&bed, 500).await;
    let page = bed.records.scan(&part("p"), &SortRange::all(), 10_000).await.unwrap();
    assert_eq!((sorts_of(&page.items), page.more), (sorts.clone(), false));
    let keys = bed.records.scan_keys(&part("p"), &SortRange::all(), 10_000).await.unwrap();
    assert_eq!((keys.items, keys.more), (sorts.clone(), false));
    // A range in the middle, its start included and its end not.
    let range = SortRange {
        from: Bytes::copy_from_slice(sorts[100].as_bytes()),
        until: Some(Bytes::copy_from_slice(sorts[300].as_bytes())),
    };
    let page = bed.records.scan(&part("p"), &range, 10_000).await.unwrap();
    assert_eq!((&sorts_of(&page.items)[..], page.more), (&sorts[100..300], false));
    let keys = bed.records.scan_keys(&part("p"), &range, 150).await.unwrap();
    assert_eq!((&keys.items[..], keys.more), (&sorts[100..250], true));
}

pub(super) async fn pages_join_without_gap_or_overlap(bed: Bed) {
    let sorts = fill(&bed, 250).await;
    for size in [1, 7, 100, 250] {
        let (mut range, mut found, mut keys) = (SortRange::all(), Vec::new(), Vec::new());
        loop {
            let page = bed.records.scan(&part("p"), &range, size).await.unwrap();
            let key_page = bed.records.scan_keys(&part("p"), &range, size).await.unwrap();
            assert!(page.items.len() <= size && key_page.items.len() <= size);
            keys.extend(key_page.items);
            found.extend(sorts_of(&page.items));
            if !page.more {
                break;
            }
            range = range.after(found.last().expect("a page with more after it is not empty"));
        }
        assert_eq!(found, sorts, "in pages of {size}");
        assert_eq!(keys, sorts, "in pages of {size}");
    }
}

pub(super) async fn a_prefix_range_holds_its_children_only(bed: Bed) {
    let names = ["a", "file", "file\0", "filf", "\u{10ffff}"];
    let mut commit = Commit::new();
    for name in names {
        commit = commit.put(&key(name), "self", None);
        commit = commit.put(&Sort::of(name).and("x").build(), "child", None);
        commit = commit.put(&Sort::of(name).and("x").and("y").build(), "grandchild", None);
    }
    bed.commit(&part("p"), commit).await;
    for name in names {
        let children = bed.records.scan(&part("p"), &Sort::of(name).and("x").children(), 10).await.unwrap();
        let expected = [Sort::of(name).and("x").build(), Sort::of(name).and("x").and("y").build()];
        assert_eq!(sorts_of(&children.items), expected);
    }
    // Beginning with `range.from` of all bytes 255 there is no upper bound.
    let last = raw([255; 8]);
    bed.commit(&part("p"), Commit::new().put(&last, "last", None)).await;
    let page =
        bed.records.scan(&part("p"), &SortRange { from: Bytes::from_static(&[255]), until: None }, 9).await;
    assert_eq!(sorts_of(&page.unwrap().items), [last]);
}

pub(super) async fn an_empty_range_is_empty(bed: Bed) {
    fill(&bed, 50).await;
    let ranges = [("b", "a"), ("a", "a"), ("", "")];
    for (from, until) in ranges {
        let range = SortRange { from: from.into(), until: Some(until.into()) };
        let page = bed.records.scan(&part("p"), &range, 10).await.unwrap();
        assert!(page.items.is_empty() && !page.more, "{from:?}..{until:?}");
        let keys = bed.records.scan_keys(&part("p"), &range, 10).await.unwrap();
        assert!(keys.items.is_empty() && !keys.more, "{from:?}..{until:?}");
    }
    let page = bed.records.scan(&part("nobody"), &SortRange::all(), 10).await.unwrap();
    assert!(page.items.is_empty() && !page.more);
}

pub(super) async fn a_page_of_large_values_ends_early(bed: Bed) {
    let sorts: Vec<_> = (0..20).map(|i| key(format!("{i:02}"))).collect();
    for sort in &sorts {
        bed.commit(&part("p"), Commit::new().put(sort, vec![1; 1024 * 1024], None)).await;
    }
    let (mut range, mut found) = (SortRange::all(), Vec::new());
    loop {
        let page = bed.records.scan(&part("p"), &range, 1000).await.unwrap();
        assert!(page.items.len() <= PAGE_BYTES_MAX / (1024 * 1024));
        found.extend(sorts_of(&page.items));
        if !page.more {
            break;
        }
        range = range.after(found.last().unwrap());
    }
    assert_eq!(found, sorts);
}
