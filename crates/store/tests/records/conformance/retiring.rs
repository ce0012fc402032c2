use std::time::Duration;

use coffer_store::records::{Commit, SORT_BYTES_MAX, Sort, SortRange, StoreError, Value, Version};

use crate::bed::{Bed, bytes_of, key, part, raw};

pub(super) async fn what_is_retired_keeps_its_version_under_the_key_of_its_past(bed: Bed) {
    let (now, at) = (bed.after(Duration::ZERO), part("p"));
    let first =
        bed.commit(&at, Commit::new().put(&key("a"), "one", None).add(&key("n"), 7, None)).await.version;
    let until = Some(now.plus(Duration::from_secs(5)));
    // Wherever it stands in the commit, the old record is moved before the new one is put there.
    let over =
        Commit::new().at_version(&key("a"), first).put(&key("a"), "two", None).retire(&key("a"), until);
    let second = bed.commit(&at, over.retire(&key("n"), until)).await.version;
    let past = bed.get(&at, &Sort::past(&key("a"), first)).await.unwrap();
    assert_eq!((bytes_of(&past), past.version, past.expires_at), (&b"one"[..], first, until));
    let current = bed.get(&at, &key("a")).await.unwrap();
    assert_eq!((bytes_of(&current), current.version, current.expires_at), (&b"two"[..], second, None));
    assert_eq!(bed.get(&at, &key("n")).await, None);
    let number = bed.get(&at, &Sort::past(&key("n"), first)).await.unwrap();
    assert_eq!((number.value, number.expires_at), (Value::Counter(7), until));
    // Its time is its own: that of the record that was moved no longer counts.
    bed.commit(&at, Commit::new().put(&key("b"), "brief", Some(now.plus(Duration::from_secs(1))))).await;
    let brief = bed.get(&at, &key("b")).await.unwrap().version;
    bed.commit(&at, Commit::new().retire(&key("b"), None)).await;
    bed.clock.advance(Duration::from_secs(5));
    assert!(bed.get(&at, &Sort::past(&key("b"), brief)).await.is_some());
    assert_eq!(bed.get(&at, &Sort::past(&key("a"), first)).await, None, "its time is over");
    let scanned = bed.records.scan(&at, &SortRange::all(), 10).await.unwrap().items;
    let scanned: Vec<_> = scanned.into_iter().map(|record| record.sort).collect();
    assert_eq!(scanned, [Sort::past(&key("b"), brief), key("a")]);
}

pub(super) async fn what_is_not_there_is_not_retired(bed: Bed) {
    let at = part("p");
    let brief = Some(bed.after(Duration::from_secs(1)));
    let version = bed.commit(&at, Commit::new().put(&key("a"), "x", brief)).await.version;
    bed.clock.advance(Duration::from_secs(1));
    let both = Commit::new().retire(&key("a"), None).retire(&key("b"), None).put(&key("b"), "y", None);
    bed.commit(&at, both).await;
    assert_eq!(bed.get(&at, &Sort::past(&key("a"), version)).await, None, "it had expired");
    let keys = bed.records.scan(&at, &SortRange::all(), 10).await.unwrap().items;
    assert_eq!(keys.into_iter().map(|record| record.sort).collect::<Vec<_>>(), [key("b")]);
    // Retiring and deleting is retiring.
    let version = bed.get(&at, &key("b")).await.unwrap().version;
    bed.commit(&at, Commit::new().delete(&key("b")).retire(&key("b"), None)).await;
    assert_eq!(bed.get(&at, &key("b")).await, None);
    assert!(bed.get(&at, &Sort::past(&key("b"), version)).await.is_some());
}

pub(super) async fn a_record_is_retired_once_in_a_commit(bed: Bed) {
    let long = raw(vec![7; SORT_BYTES_MAX - 11]);
    let twice = Commit::new().retire(&key("a"), None).retire(&key("a"), None);
    let added = Commit::new().retire(&key("a"), None).add(&key("a"), 1, None);
    for wrong in [twice, added, Commit::new().retire(&long, None)] {
        let answer = bed.records.commit(&part("p"), wrong).await;
        assert!(matches!(answer, Err(StoreError::Limit(_))), "{answer:?}");
    }
    let longest = raw(vec![7; SORT_BYTES_MAX - 12]);
    let version: Version = bed.commit(&part("p"), Commit::new().put(&longest, "x", None)).await.version;
    bed.commit(&part("p"), Commit::new().retire(&longest, None)).await;
    assert!(bed.get(&part("p"), &Sort::past(&longest, version)).await.is_some());
}
