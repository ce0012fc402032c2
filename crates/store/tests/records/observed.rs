//! Observed records: what they note, and how they fail.

use std::sync::Arc;

use coffer_core::SystemClock;
use coffer_store::records::{Commit, MemoryRecords, Records as _, SortRange, StoreError};
use coffer_store::testing::{CallKind, Calls, Fault, Observed};

use crate::bed::{OTHER_TABLE, TABLE, key, part};

fn observed() -> Observed {
    Observed::new(Arc::new(MemoryRecords::new(Arc::new(SystemClock))))
}

fn put(value: &'static str) -> Commit {
    Commit::new().put(&key("a"), value, None)
}

#[tokio::test]
async fn calls_are_noted_in_their_order_with_what_they_carry() {
    let (records, at) = (observed(), part("p"));
    let commit = put("123").append(&key("log"), "4567", None).add(&key("n"), 1, None);
    assert!(records.commit(&at, commit).await.unwrap().is_committed());
    let refused = put("12").absent(&key("a"));
    assert!(!records.commit(&at, refused).await.unwrap().is_committed());
    records.get(&at, &key("a")).await.unwrap().unwrap();
    records.get_many(&at, &[key("a"), key("b")]).await.unwrap();
    records.scan(&at, &SortRange::all(), 10).await.unwrap();
    records.scan_keys(&at, &SortRange::all(), 10).await.unwrap();
    records.sweep(OTHER_TABLE, None, 10).await.unwrap();
    records.ping().await.unwrap();
    let calls = records.take();
    let noted: Vec<_> = calls.0.iter().map(|call| (call.kind, call.table)).collect();
    let expected = [
        (CallKind::Commit { operations: 3, value_bytes: 7 }, TABLE),
        (CallKind::Commit { operations: 1, value_bytes: 2 }, TABLE),
        (CallKind::Get, TABLE),
        (CallKind::GetMany(2), TABLE),
        (CallKind::Scan, TABLE),
        (CallKind::ScanKeys, TABLE),
        (CallKind::Sweep, OTHER_TABLE),
    ];
    assert_eq!(noted, expected);
    assert_eq!((calls.count(), calls.reads(), calls.commits(), calls.value_bytes()), (7, 5, 2, 9));
    assert_eq!(records.take(), Calls::default(), "what was taken is not told again");
}

#[tokio::test]
async fn commits_fail_as_told_one_after_the_other_and_then_no_more() {
    let (records, at) = (observed(), part("p"));
    records.fail([Fault::Unavailable, Fault::UnknownNotDone]);
    records.fail([Fault::UnknownDone]);
    let failure = records.commit(&at, put("1")).await.unwrap_err();
    assert!(matches!(failure, StoreError::Unavailable { .. }), "{failure}");
    let failure = records.commit(&at, put("2")).await.unwrap_err();
    assert!(matches!(failure, StoreError::OutcomeUnknown { .. }), "{failure}");
    assert_eq!(records.get(&at, &key("a")).await.unwrap(), None);
    let failure = records.commit(&at, put("3")).await.unwrap_err();
    assert!(matches!(failure, StoreError::OutcomeUnknown { .. }), "{failure}");
    assert!(records.get(&at, &key("a")).await.unwrap().is_some());
    assert!(records.commit(&at, put("4")).await.unwrap().is_committed());
    assert_eq!(records.take().commits(), 4, "also those that failed");
}

#[tokio::test]
async fn others_run_before_a_call_of_yielding_records_and_of_no_others() {
    for yields in [false, true] {
        let records = Arc::new(if yields { observed().yielding() } else { observed() });
        let other = tokio::spawn({
            let records = Arc::clone(&records);
            async move { records.commit(&part("p"), put("1")).await.unwrap() }
        });
        // The other's commit has yielded too, so its turn comes again only after the second call has begun.
        records.get(&part("p"), &key("a")).await.unwrap();
        assert_eq!(records.take().commits(), usize::from(yields));
        other.await.unwrap();
    }
}
