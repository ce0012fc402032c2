use coffer_store::records::{
    COMMIT_ITEMS_MAX, Commit, GET_MANY_MAX, PAGE_RECORDS_MAX, PARTITION_BYTES_MAX, Partition, SORT_BYTES_MAX,
    SortRange, StoreError, VALUE_BYTES_MAX, Value,
};
use std::time::Duration;

use crate::bed::{Bed, OTHER_TABLE, bytes_of, key, part, raw};

pub(super) async fn a_record_is_read_as_it_was_written(bed: Bed) {
    let expires_at = Some(bed.after(Duration::from_mins(1)));
    let written = Commit::new().put(&key("a"), "one", None).put(&key("b"), "", expires_at);
    let committed = bed.commit(&part("p"), written).await;
    let a = bed.get(&part("p"), &key("a")).await.unwrap();
    assert_eq!((bytes_of(&a), a.version, a.expires_at), (&b"one"[..], committed.version, None));
    let b = bed.get(&part("p"), &key("b")).await.unwrap();
    assert_eq!((bytes_of(&b), b.version, b.expires_at), (&b""[..], committed.version, expires_at));
    assert_eq!(b.sort, key("b"));
    assert_eq!(bed.get(&part("p"), &key("c")).await, None);
    bed.records.ping().await.unwrap();
}

pub(super) async fn a_put_replaces_and_a_delete_removes(bed: Bed) {
    let first = bed.commit(&part("p"), Commit::new().put(&key("a"), "one", None)).await;
    let second = bed.commit(&part("p"), Commit::new().put(&key("a"), "two", None)).await;
    assert!(second.version > first.version);
    let record = bed.get(&part("p"), &key("a")).await.unwrap();
    assert_eq!((bytes_of(&record), record.version), (&b"two"[..], second.version));
    bed.commit(&part("p"), Commit::new().delete(&key("a")).delete(&key("never was"))).await;
    assert_eq!(bed.get(&part("p"), &key("a")).await, None);
    let page = bed.records.scan_keys(&part("p"), &SortRange::all(), 10).await.unwrap();
    assert!(page.items.is_empty() && !page.more);
}

pub(super) async fn several_records_are_read_in_the_order_asked(bed: Bed) {
    bed.commit(&part("p"), Commit::new().put(&key("a"), "1", None).put(&key("b"), "2", None)).await;
    let asked = [key("b"), key("none"), key("a"), key("b")];
    let found = bed.records.get_many(&part("p"), &asked).await.unwrap();
    let values: Vec<_> = found.iter().map(|record| record.as_ref().map(bytes_of)).collect();
    assert_eq!(values, [Some(&b"2"[..]), None, Some(b"1"), Some(b"2")]);
    assert!(bed.records.get_many(&part("p"), &[]).await.unwrap().is_empty());
}

pub(super) async fn partitions_and_tables_are_apart(bed: Bed) {
    let other = Partition::new(OTHER_TABLE, "p");
    bed.commit(&part("p"), Commit::new().put(&key("a"), "p", None)).await;
    bed.commit(&part("pp"), Commit::new().put(&key("a"), "pp", None)).await;
    bed.commit(&other, Commit::new().put(&key("a"), "other", None)).await;
    bed.commit(&part("pp"), Commit::new().delete(&key("a"))).await;
    assert_eq!(bytes_of(&bed.get(&part("p"), &key("a")).await.unwrap()), b"p");
    assert_eq!(bytes_of(&bed.get(&other, &key("a")).await.unwrap()), b"other");
    assert_eq!(bed.get(&part("pp"), &key("a")).await, None);
}

pub(super) async fn keys_may_be_any_bytes(bed: Bed) {
    let mut keys: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    keys.extend([&b""[..], b"{a}", b"}{", b"{}", b"a}b{c", b"\r\n*1", b"\xff\xfe", b"a\0b"].map(Vec::from));
    for partition in &keys {
        let value = [partition, &b"!"[..]].concat();
        bed.commit(&part(partition), Commit::new().put(&raw(partition), value, None)).await;
    }
    for partition in &keys {
        let page = bed.records.scan(&part(partition), &SortRange::all(), 10).await.unwrap();
        let [record] = &page.items[..] else { panic!("{} records", page.items.len()) };
        assert_eq!(record.sort, raw(partition));
        assert_eq!(bytes_of(record), [partition, &b"!"[..]].concat());
        assert_eq!(bed.get(&part(partition), &raw(partition)).await.as_ref(), Some(record));
    }
    // All of them as sort keys of one partition.
    let mut all = Commit::new();
    for sort in &keys[..200] {
        all = all.put(&raw(sort), sort.clone(), None);
    }
    bed.commit(&part("all"), all).await;
    for sort in &keys[..200] {
        assert_eq!(bytes_of(&bed.get(&part("all"), &raw(sort)).await.unwrap()), sort);
    }
}

pub(super) async fn a_value_of_one_mebibyte_survives(bed: Bed) {
    let value: Vec<u8> = (0..1024 * 1024_usize).map(|i| u8::try_from(i * 31 % 256).unwrap()).collect();
    let sort = raw(vec![7; SORT_BYTES_MAX]);
    let partition = part(vec![b'}'; PARTITION_BYTES_MAX]);
    bed.commit(&partition, Commit::new().put(&sort, value.clone(), None)).await;
    assert_eq!(bytes_of(&bed.get(&partition, &sort).await.unwrap()), value);
    let page = bed.records.scan(&partition, &SortRange::all(), 1).await.unwrap();
    assert_eq!(bytes_of(&page.items[0]), value);
    let rest = SortRange::all().after(&sort);
    assert!(bed.records.scan(&partition, &rest, 1).await.unwrap().items.is_empty());
}

pub(super) async fn what_is_over_a_limit_is_refused(bed: Bed) {
    let long_sort = raw(vec![0; SORT_BYTES_MAX + 1]);
    let long_partition = part(vec![0; PARTITION_BYTES_MAX + 1]);
    let put = |sort| Commit::new().put(sort, "x", None);
    let crowd = (0..=COMMIT_ITEMS_MAX).fold(Commit::new(), |commit, i| commit.delete(&key(i.to_string())));
    let commits = [
        (part("p"), put(&long_sort)),
        (part("p"), Commit::new().absent(&long_sort)),
        (long_partition.clone(), put(&key("a"))),
        (part("p"), Commit::new().put(&key("a"), vec![0; VALUE_BYTES_MAX + 1], None)),
        (part("p"), crowd),
        (part("p"), put(&key("a")).delete(&key("a"))),
    ];
    for (partition, commit) in commits {
        let answer = bed.records.commit(&partition, commit).await;
        assert!(matches!(answer, Err(StoreError::Limit(_))), "{answer:?}");
    }
    let limit = |answer: Result<(), StoreError>| assert!(matches!(answer, Err(StoreError::Limit(_))));
    limit(bed.records.get(&part("p"), &long_sort).await.map(drop));
    limit(bed.records.get(&long_partition, &key("a")).await.map(drop));
    limit(bed.records.get_many(&part("p"), &vec![key("a"); GET_MANY_MAX + 1]).await.map(drop));
    for size in [0, PAGE_RECORDS_MAX + 1] {
        limit(bed.records.scan(&part("p"), &SortRange::all(), size).await.map(drop));
        limit(bed.records.scan_keys(&part("p"), &SortRange::all(), size).await.map(drop));
        limit(bed.records.sweep(part("p").table(), None, size).await.map(drop));
    }
    let page = bed.records.sweep(part("p").table(), None, 10).await.unwrap();
    assert!(page.items.is_empty(), "nothing was stored: {:?}", page.items);
    bed.commit(&part("p"), Commit::new().add(&key("n"), 1, None)).await;
    assert_eq!(bed.get(&part("p"), &key("n")).await.unwrap().value, Value::Counter(1));
}
