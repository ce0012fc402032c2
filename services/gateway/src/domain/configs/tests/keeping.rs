//! What is derived is kept in memory, for a while, and nowhere else.

use std::sync::atomic::Ordering;
use std::time::Duration;

use coffer_core::Clock as _;

use super::bed::{Bed, CLIENT, any, new, read, value};

#[tokio::test]
async fn a_warm_read_asks_the_storage_once_and_a_change_twice() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    ann.create(new("a", "1")).await.unwrap();
    bed.observed.take();
    let ann = bed.holder("the key of ann").await;
    read(&ann, any("a")).await.unwrap();
    let calls = bed.observed.take();
    assert_eq!((calls.reads(), calls.commits()), (1, 0));
    ann.update(any("a"), value("2")).await.unwrap();
    let calls = bed.observed.take();
    assert_eq!((calls.reads(), calls.commits()), (1, 1));
    assert_eq!(bed.derived.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_salt_is_made_once_however_many_processes_begin() {
    let bed = Bed::memory().await;
    bed.holder("the key of ann").await.create(new("a", "1")).await.unwrap();
    for _ in 0..3 {
        let another = bed.another().await.holder(b"the key of ann", CLIENT).await.unwrap();
        assert_eq!(read(&another, any("a")).await.as_deref(), Ok("1"));
    }
}

#[tokio::test]
async fn changes_are_kept_as_long_as_they_can_be_watched() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    ann.create(new("a", "1")).await.unwrap();
    let calls = bed.observed.take();
    assert!(calls.value_bytes() > 0);
    bed.clock.advance(Duration::from_hours(25));
    assert!(bed.clock.now() > super::bed::START);
    assert_eq!(read(&ann, any("a")).await.as_deref(), Ok("1"));
}
