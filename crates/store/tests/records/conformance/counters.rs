use std::sync::Arc;

use coffer_store::records::{COUNTER_MAX, Commit, Guard, StoreError, Value};
use tokio::task::JoinSet;

use crate::bed::{Bed, bytes_of, key, part};

pub(super) async fn a_counter_adds_up_under_contention(bed: Bed) {
    let mut adders = JoinSet::new();
    for _ in 0..16 {
        let records = Arc::clone(&bed.records);
        adders.spawn(async move {
            for _ in 0..10 {
                let add = Commit::new().add(&key("up"), 3, None).add(&key("down"), -1, None);
                records.commit(&part("p"), add).await.unwrap();
            }
        });
    }
    adders.join_all().await;
    let last =
        bed.commit(&part("p"), Commit::new().add(&key("down"), 0, None).add(&key("up"), 0, None)).await;
    assert_eq!(last.counters, [-160, 480]);
    let up = bed.get(&part("p"), &key("up")).await.unwrap();
    assert_eq!((up.value, up.version), (Value::Counter(480), last.version));
}

pub(super) async fn a_counter_guard_admits_exactly_its_range(bed: Bed) {
    let mut callers = JoinSet::new();
    for _ in 0..40 {
        let records = Arc::clone(&bed.records);
        callers.spawn(async move {
            let one = Commit::new().counter_within(&key("n"), 0..=9).add(&key("n"), 1, None);
            records.commit(&part("p"), one).await.unwrap().is_committed()
        });
    }
    let admitted = callers.join_all().await.into_iter().filter(|admitted| *admitted).count();
    assert_eq!(admitted, 10);
    let within = |min, max| Guard::CounterWithin { sort: key("n"), min, max };
    assert!(bed.holds(&part("p"), within(10, 10)).await);
    assert!(bed.holds(&part("p"), within(i64::MIN, i64::MAX)).await);
    assert!(!bed.holds(&part("p"), within(11, i64::MAX)).await);
    assert!(!bed.holds(&part("p"), within(i64::MIN, 9)).await);
    assert!(!bed.holds(&part("p"), within(11, 9)).await);
    // A counter that is not there is 0.
    let absent = |min, max| Guard::CounterWithin { sort: key("absent"), min, max };
    assert!(bed.holds(&part("p"), absent(0, 0)).await);
    assert!(!bed.holds(&part("p"), absent(1, 5)).await);
}

pub(super) async fn bytes_and_counters_do_not_mix(bed: Bed) {
    bed.commit(&part("p"), Commit::new().put(&key("a"), "7", None)).await;
    let any = Guard::CounterWithin { sort: key("a"), min: i64::MIN, max: i64::MAX };
    assert!(!bed.holds(&part("p"), any).await, "bytes are no counter");
    let added = bed.commit(&part("p"), Commit::new().add(&key("a"), 5, None)).await;
    assert_eq!(added.counters, [5]);
    assert_eq!(bed.get(&part("p"), &key("a")).await.unwrap().value, Value::Counter(5));
    assert!(bed.holds(&part("p"), Guard::AtVersion(key("a"), added.version)).await);
    assert!(!bed.holds(&part("p"), Guard::Absent(key("a"))).await);
    bed.commit(&part("p"), Commit::new().put(&key("a"), "5", None)).await;
    assert_eq!(bytes_of(&bed.get(&part("p"), &key("a")).await.unwrap()), b"5");
}

pub(super) async fn a_counter_stays_within_its_limits(bed: Bed) {
    let add = |delta| Commit::new().add(&key("n"), delta, None).put(&key("beside"), "x", None);
    let exact = bed.commit(&part("p"), Commit::new().add(&key("n"), COUNTER_MAX, None)).await;
    assert_eq!(exact.counters, [COUNTER_MAX]);
    for delta in [1, COUNTER_MAX, COUNTER_MAX + 1, i64::MIN, i64::MAX] {
        let answer = bed.records.commit(&part("p"), add(delta)).await;
        assert!(matches!(answer, Err(StoreError::Limit(_))), "{delta}: {answer:?}");
    }
    assert_eq!(bed.get(&part("p"), &key("beside")).await, None, "all or nothing");
    let back = bed.commit(&part("p"), add(-1)).await;
    assert_eq!(back.counters, [COUNTER_MAX - 1]);
    assert!(
        bed.holds(
            &part("p"),
            Guard::CounterWithin { sort: key("n"), min: COUNTER_MAX - 1, max: COUNTER_MAX - 1 }
        )
        .await
    );
}
