use std::time::Duration;

use coffer_store::records::{Commit, Partition, StoreError};
use tokio::time::timeout;

use crate::bed::{Bed, TABLE, WATCHED, key};

pub(super) async fn a_commit_wakes_a_watcher(bed: Bed) {
    let partition = Partition::new(WATCHED, "{feed}\n");
    let mut watch = bed.records.watch(&partition).await.unwrap();
    let mut second = bed.records.watch(&partition).await.unwrap();
    let mut elsewhere = bed.records.watch(&Partition::new(WATCHED, "other")).await.unwrap();
    for round in 0..3 {
        // Spurious wake-ups are allowed: take those that come before the commit.
        while timeout(Duration::from_millis(20), watch.changed()).await.is_ok() {}
        while timeout(Duration::from_millis(20), second.changed()).await.is_ok() {}
        while timeout(Duration::from_millis(20), elsewhere.changed()).await.is_ok() {}
        bed.commit(&partition, Commit::new().add(&key("n"), 1, None)).await;
        let woken = timeout(Duration::from_secs(5), watch.changed()).await;
        assert!(woken.is_ok(), "no wake-up in round {round}");
        assert!(timeout(Duration::from_secs(5), second.changed()).await.is_ok());
    }
    let quiet = timeout(Duration::from_millis(50), elsewhere.changed()).await;
    assert!(quiet.is_err(), "another partition's commit woke it");
}

pub(super) async fn only_a_watched_table_can_be_watched(bed: Bed) {
    let answer = bed.records.watch(&Partition::new(TABLE, "p")).await;
    assert!(matches!(answer.err(), Some(StoreError::Limit(_))));
}
