use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coffer_store::records::{
    Commit, LOG_PREFIX_BYTES_MAX, Page, Partition, Record, Sort, SortRange, StoreError, Version,
};
use tokio::task::JoinSet;

use crate::bed::{Bed, bytes_of, key, part};

async fn page(bed: &Bed, log: &str, after: Option<Version>, limit: usize) -> Page<Record> {
    bed.records.scan(&part("p"), &SortRange::log(&key(log), after), limit).await.unwrap()
}

fn texts(page: &Page<Record>) -> Vec<&str> {
    page.items.iter().map(|record| std::str::from_utf8(bytes_of(record)).unwrap()).collect()
}

pub(super) async fn an_entry_stands_at_the_version_of_its_commit(bed: Bed) {
    let expires_at = Some(bed.after(Duration::from_mins(1)));
    let both = Commit::new().append(&key("c"), "one", expires_at).put(&key("a"), "x", None);
    let first = bed.commit(&part("p"), both).await.version;
    let entry = bed.get(&part("p"), &Sort::log_entry(&key("c"), first)).await.unwrap();
    assert_eq!((bytes_of(&entry), entry.version, entry.expires_at), (&b"one"[..], first, expires_at));
    assert_eq!(entry.sort.log_version(), Some(first));
    assert_eq!(bed.get(&part("p"), &key("a")).await.unwrap().version, first);
    assert_eq!(bed.get(&part("p"), &key("c")).await, None, "the log's name is no record");
    // A commit that only appends fills a partition by itself, and one that is refused appends nothing.
    let alone = Commit::new().append(&key("c"), "alone", None);
    bed.commit(&part("q"), alone).await;
    let refused = Commit::new().absent(&key("a")).append(&key("c"), "refused", None);
    assert!(!bed.records.commit(&part("p"), refused).await.unwrap().is_committed());
    // A record and a log of one name, and two logs, are apart.
    let named_alike = Commit::new().put(&key("c"), "record", None).append(&key("c"), "two", None).append(
        &key("d"),
        "d",
        None,
    );
    let second = bed.commit(&part("p"), named_alike).await.version;
    assert_eq!(texts(&page(&bed, "c", None, 10).await), ["one", "two"]);
    assert_eq!(texts(&page(&bed, "d", None, 10).await), ["d"]);
    assert_eq!(texts(&page(&bed, "c", Some(first), 10).await), ["two"]);
    assert!(page(&bed, "c", Some(second), 10).await.items.is_empty());
    let deleted = Commit::new().delete(&Sort::log_entry(&key("c"), first));
    bed.commit(&part("p"), deleted).await;
    assert_eq!(texts(&page(&bed, "c", None, 10).await), ["two"]);
}

pub(super) async fn a_follower_sees_every_entry_once_and_in_order_under_contention(bed: Bed) {
    const WRITERS: usize = 8;
    const ENTRIES: usize = 25;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let records = Arc::clone(&bed.records);
        writers.spawn(async move {
            for number in 0..ENTRIES {
                let text = format!("{writer} {number}");
                let commit =
                    Commit::new().put(&key(writer.to_string()), "x", None).append(&key("c"), text, None);
                assert!(records.commit(&part("p"), commit).await.unwrap().is_committed());
            }
        });
    }
    let over = Arc::new(AtomicBool::new(false));
    let (records, stop) = (Arc::clone(&bed.records), Arc::clone(&over));
    let follower = tokio::spawn(async move {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let last_look = stop.load(Ordering::SeqCst);
            let range = SortRange::log(&key("c"), after);
            for record in records.scan(&part("p"), &range, 7).await.unwrap().items {
                let version = record.sort.log_version().unwrap();
                assert!(Some(version) > after, "out of order");
                after = Some(version);
                seen.push(String::from_utf8(bytes_of(&record).to_vec()).unwrap());
            }
            if last_look && seen.len() >= WRITERS * ENTRIES {
                return seen;
            }
            tokio::task::yield_now().await;
        }
    });
    writers.join_all().await;
    over.store(true, Ordering::SeqCst);
    let seen =
        tokio::time::timeout(Duration::from_secs(20), follower).await.expect("an entry was missed").unwrap();
    assert_eq!(seen.len(), WRITERS * ENTRIES);
    for writer in 0..WRITERS {
        let own = seen.iter().filter_map(|text| text.strip_prefix(&format!("{writer} ")));
        assert!(own.map(|number| number.parse::<usize>().unwrap()).eq(0..ENTRIES), "of writer {writer}");
    }
}

pub(super) async fn a_log_is_read_in_pages_from_a_version(bed: Bed) {
    let mut versions = Vec::new();
    for number in 0..40 {
        let commit = Commit::new().append(&key("c"), number.to_string(), None);
        versions.push(bed.commit(&part("p"), commit).await.version);
    }
    assert!(versions.is_sorted());
    for size in [1, 7, 40] {
        let (mut found, mut after) = (Vec::new(), Some(versions[4]));
        loop {
            let page = page(&bed, "c", after, size).await;
            found.extend(page.items.iter().map(|record| record.sort.log_version().unwrap()));
            if !page.more {
                break;
            }
            after = found.last().copied();
        }
        assert_eq!(found, versions[5..], "in pages of {size}");
    }
}

pub(super) async fn an_expired_entry_is_no_longer_in_the_log(bed: Bed) {
    for seconds in [1, 3, 2] {
        let expires_at = Some(bed.after(Duration::from_secs(seconds)));
        bed.commit(&part("p"), Commit::new().append(&key("c"), seconds.to_string(), expires_at)).await;
    }
    bed.clock.advance(Duration::from_secs(2));
    assert_eq!(texts(&page(&bed, "c", None, 10).await), ["3"]);
    bed.clock.advance(Duration::from_secs(1));
    assert!(page(&bed, "c", None, 10).await.items.is_empty());
}

pub(super) async fn a_sweep_finds_the_entries_of_a_log(bed: Bed) {
    let append = || Commit::new().append(&key("c"), "x", None);
    let mut expected = Vec::new();
    for _ in 0..3 {
        expected.push(Sort::log_entry(&key("c"), bed.commit(&part("p"), append()).await.version));
    }
    let swept = bed.records.sweep(part("p").table(), None, 10).await.unwrap();
    let found: Vec<(Partition, Sort)> =
        swept.items.into_iter().map(|(at, record)| (at, record.sort)).collect();
    assert_eq!(found, expected.into_iter().map(|sort| (part("p"), sort)).collect::<Vec<_>>());
}

pub(super) async fn a_commit_appends_to_a_log_once(bed: Bed) {
    let twice = Commit::new().append(&key("c"), "1", None).append(&key("c"), "2", None);
    let long = Sort::from_bytes(vec![1; LOG_PREFIX_BYTES_MAX + 1].into());
    for wrong in [twice, Commit::new().append(&long, "x", None)] {
        let answer = bed.records.commit(&part("p"), wrong).await;
        assert!(matches!(answer, Err(StoreError::Limit(_))), "{answer:?}");
    }
    assert!(page(&bed, "c", None, 10).await.items.is_empty());
    let longest = Sort::from_bytes(vec![0xff; LOG_PREFIX_BYTES_MAX].into());
    bed.commit(&part("p"), Commit::new().append(&longest, "x", None)).await;
    let page = bed.records.scan(&part("p"), &SortRange::log(&longest, None), 10).await.unwrap();
    assert_eq!(texts(&page), ["x"]);
}
