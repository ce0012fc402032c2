//! Expired records go by themselves. (Redis lets them go by its own clock: see its own tests.)

use std::time::Duration;

use coffer_store::records::{COLLECT_SLACK, Commit};

use crate::bed::{Bed, TABLE, key, part};

async fn expired_records_are_collected_while_there_are_commits(bed: Bed) {
    let soon = Some(bed.after(Duration::from_secs(1)));
    for i in 0..20 {
        let commit = Commit::new().put(&key("expires"), "x", soon).put(&key("stays"), "x", None);
        bed.commit(&part(i.to_string()), commit).await;
    }
    let left = async || bed.records.sweep(TABLE, None, 100).await.unwrap().items.len();
    let commits = async || {
        for _ in 0..10 {
            bed.commit(&part("0"), Commit::new().put(&key("stays"), "y", None)).await;
        }
    };
    bed.clock.advance(COLLECT_SLACK);
    commits().await;
    assert_eq!(left().await, 40, "not before the slack is over: clocks differ");
    bed.clock.advance(Duration::from_mins(1));
    commits().await;
    assert_eq!(left().await, 20);
}

#[tokio::test]
async fn expired_records_are_collected_from_memory() {
    expired_records_are_collected_while_there_are_commits(Bed::memory()).await;
}

#[tokio::test]
async fn expired_records_are_collected_from_sqlite() {
    expired_records_are_collected_while_there_are_commits(Bed::sqlite()).await;
}
