//! When configurations were last read, and what nobody has read.

use std::time::Duration;

use coffer_core::Clock as _;
use coffer_store::testing::Fault;

use super::bed::{Bed, CLIENT, any, at, create_in, new, read, value};
use crate::domain::configs::{Filter, Holder};

const DAY: Duration = Duration::from_hours(24);

/// The keys of what nobody has read for a day.
async fn unread(holder: &Holder) -> Vec<String> {
    let found = holder.unread(Filter::default(), DAY).await.unwrap();
    found.into_iter().map(|one| one.meta.key).collect()
}

#[tokio::test]
async fn what_nobody_reads_is_reported_everywhere_and_what_is_new_is_not() {
    for bed in [Bed::memory().await, Bed::sqlite().await, Bed::redis().await] {
        let ann = bed.holder("the key of ann").await;
        for key in ["alone", "batch", "list", "never", "b", "changed"] {
            let environment = if key == "list" { "test" } else { "default" };
            create_in(&ann, key, environment, "1").await;
        }
        ann.create(new("refers", "\"${ref:b}\"")).await.unwrap();
        assert!(unread(&ann).await.is_empty(), "they are new");
        bed.clock.advance(2 * DAY);
        read(&ann, any("alone")).await.unwrap();
        ann.get_many(&[any("batch")]).await.unwrap();
        ann.read_all(Filter { category: None, environment: Some("test") }).await.unwrap();
        let refers = ann.list(Filter::default()).await.unwrap().into_iter().find(|one| one.key == "refers");
        ann.resolved(&refers.unwrap()).await.unwrap();
        ann.update(any("changed"), value("2")).await.unwrap();
        ann.list_meta(Filter::default()).await.unwrap();
        let left = ["never", "changed", "refers"];
        assert_eq!(unread(&ann).await, left);
        bed.configs.flush_reads().await;
        let another = bed.another().await.holder(b"the key of ann", CLIENT).await.unwrap();
        assert_eq!(unread(&another).await, left, "others know it as well");
        bed.clock.advance(2 * DAY);
        let found = another.unread(Filter { category: None, environment: Some("test") }, DAY).await.unwrap();
        let hour = found[0].read_at.unwrap();
        assert!(found.len() == 1 && bed.clock.now().since(hour) < 2 * DAY + Duration::from_hours(1));
        assert!(found[0].meta.key == "list" && bed.clock.now().since(hour) >= 2 * DAY);
    }
}

#[tokio::test]
async fn reads_cost_no_commit_and_a_flush_one_for_many_and_one_an_hour() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    for n in 0..100 {
        ann.create(new(&format!("{n}"), "1")).await.unwrap();
    }
    bed.observed.take();
    for _ in 0..3 {
        for n in 0..100 {
            read(&ann, any(&format!("{n}"))).await.unwrap();
        }
        bed.clock.advance(Duration::from_mins(1));
    }
    assert_eq!(bed.observed.take().commits(), 0);
    for expected in [1, 0] {
        bed.observed.take();
        bed.configs.flush_reads().await;
        let calls = bed.observed.take();
        assert_eq!((calls.reads(), calls.commits()), (expected, expected));
        read(&ann, any("1")).await.unwrap();
    }
    bed.clock.advance(Duration::from_hours(1));
    read(&ann, any("1")).await.unwrap();
    bed.observed.take();
    bed.configs.flush_reads().await;
    assert_eq!(bed.observed.take().commits(), 1);
}

#[tokio::test]
async fn times_of_processes_that_flush_at_the_same_time_are_all_kept() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    for n in 0..20 {
        ann.create(new(&format!("{n}"), "1")).await.unwrap();
    }
    bed.clock.advance(2 * DAY);
    let others = [bed.another().await, bed.another().await];
    for (start, configs) in others.iter().enumerate() {
        let holder = configs.holder(b"the key of ann", CLIENT).await.unwrap();
        for n in (start..20).step_by(2) {
            read(&holder, any(&format!("{n}"))).await.unwrap();
        }
    }
    tokio::join!(others[0].flush_reads(), others[1].flush_reads());
    assert!(unread(&ann).await.is_empty());
}

#[tokio::test]
async fn times_wait_for_a_storage_that_is_away_and_go_with_what_is_deleted_or_moved() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    for key in ["a", "b"] {
        ann.create(new(key, "1")).await.unwrap();
    }
    bed.clock.advance(2 * DAY);
    for key in ["a", "b"] {
        read(&ann, any(key)).await.unwrap();
    }
    bed.observed.fail([Fault::UnknownNotDone]);
    bed.configs.flush_reads().await;
    bed.configs.flush_reads().await;
    ann.delete(at("b", "default")).await.unwrap();
    bed.observed.take();
    assert!(unread(&ann).await.is_empty());
    assert_eq!(bed.observed.take().commits(), 1, "the time of what is deleted is removed");
    assert!(unread(&ann).await.is_empty());
    assert_eq!(bed.observed.take().commits(), 0);
    // A user key that was given up writes no more times, and they move along.
    let elsewhere = bed.another().await;
    let stale = elsewhere.holder(b"the key of ann", CLIENT).await.unwrap();
    bed.clock.advance(2 * DAY);
    read(&stale, any("a")).await.unwrap();
    bed.configs.rekey((b"the key of ann", b"the new key"), CLIENT).await.unwrap();
    bed.observed.take();
    elsewhere.flush_reads().await;
    assert_eq!(bed.observed.take().commits(), 0);
    let moved = bed.holder("the new key").await;
    let found = moved.unread(Filter::default(), DAY).await.unwrap();
    assert!(found.len() == 1 && found[0].read_at.is_some());
    assert!(unread(&ann).await.is_empty());
}
