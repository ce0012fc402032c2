use std::time::Duration;

use coffer_store::records::{Commit, Guard, SortRange, Value};

use crate::bed::{Bed, bytes_of, key, part};

const SECOND: Duration = Duration::from_secs(1);
const INSTANT: Duration = Duration::from_millis(1);
const ALMOST: Duration = Duration::from_millis(999);

pub(super) async fn an_expired_record_is_absent_to_every_reader(bed: Bed) {
    let written = Commit::new()
        .put(&key("a"), "expires", Some(bed.after(SECOND)))
        .put(&key("b"), "stays", None)
        .add(&key("c"), 1, Some(bed.after(SECOND)));
    bed.commit(&part("p"), written).await;
    bed.clock.advance(ALMOST);
    assert!(bed.get(&part("p"), &key("a")).await.is_some(), "live until the last moment");
    assert_eq!(bed.records.scan(&part("p"), &SortRange::all(), 10).await.unwrap().items.len(), 3);
    bed.clock.advance(INSTANT);
    assert_eq!(bed.get(&part("p"), &key("a")).await, None);
    assert_eq!(bed.get(&part("p"), &key("c")).await, None);
    let many = bed.records.get_many(&part("p"), &[key("a"), key("b"), key("c")]).await.unwrap();
    assert!(many[0].is_none() && many[1].is_some() && many[2].is_none());
    let page = bed.records.scan(&part("p"), &SortRange::all(), 10).await.unwrap();
    let sorts: Vec<_> = page.items.iter().map(|record| record.sort.clone()).collect();
    assert_eq!((sorts, page.more), (vec![key("b")], false));
    // A page of one is not cut short by what expired before it.
    let page = bed.records.scan(&part("p"), &SortRange::all(), 1).await.unwrap();
    assert_eq!(page.items[0].sort, key("b"));
}

pub(super) async fn a_guard_takes_an_expired_record_for_absent(bed: Bed) {
    let version =
        bed.commit(&part("p"), Commit::new().put(&key("a"), "x", Some(bed.after(SECOND)))).await.version;
    assert!(!bed.holds(&part("p"), Guard::Absent(key("a"))).await);
    bed.clock.advance(SECOND);
    assert!(!bed.holds(&part("p"), Guard::AtVersion(key("a"), version)).await);
    assert!(bed.holds(&part("p"), Guard::Absent(key("a"))).await);
    // Expired bytes do not stand in the way of a counter either.
    assert!(bed.holds(&part("p"), Guard::CounterWithin { sort: key("a"), min: 0, max: 0 }).await);
    let again = Commit::new().absent(&key("a")).put(&key("a"), "new", None);
    assert!(bed.commit(&part("p"), again).await.version > version);
    assert_eq!(bytes_of(&bed.get(&part("p"), &key("a")).await.unwrap()), b"new");
}

pub(super) async fn an_expired_counter_begins_anew(bed: Bed) {
    let add = |bed: &Bed| Commit::new().add(&key("n"), 5, Some(bed.after(SECOND)));
    assert_eq!(bed.commit(&part("p"), add(&bed)).await.counters, [5]);
    bed.clock.advance(ALMOST);
    assert_eq!(bed.commit(&part("p"), add(&bed)).await.counters, [10], "and the expiry moved on");
    bed.clock.advance(ALMOST);
    assert_eq!(bed.get(&part("p"), &key("n")).await.unwrap().value, Value::Counter(10));
    bed.clock.advance(INSTANT);
    assert!(bed.holds(&part("p"), Guard::CounterWithin { sort: key("n"), min: 0, max: 0 }).await);
    assert_eq!(bed.commit(&part("p"), add(&bed)).await.counters, [5]);
}

pub(super) async fn a_put_decides_the_expiry_anew(bed: Bed) {
    bed.commit(&part("p"), Commit::new().put(&key("a"), "1", Some(bed.after(SECOND)))).await;
    bed.commit(&part("p"), Commit::new().put(&key("a"), "2", None)).await;
    bed.clock.advance(SECOND * 1000);
    assert_eq!(bytes_of(&bed.get(&part("p"), &key("a")).await.unwrap()), b"2");
    bed.commit(&part("p"), Commit::new().put(&key("a"), "3", Some(bed.after(Duration::ZERO)))).await;
    assert_eq!(bed.get(&part("p"), &key("a")).await, None, "expired as it was written");
}
