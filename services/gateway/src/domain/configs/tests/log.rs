//! The log of changes: charged, bounded, and missed by nobody who is not told so.

use std::time::Duration;

use coffer_core::Clock as _;
use coffer_store::records::{Partition, Sort, Table, Version};

use super::bed::{Bed, CLIENT, any, new, wide};
use crate::domain::configs::{ConfigsError, ConfigsSettings, Holder, Position, WatchFilter, Watcher};
use crate::repo::configs::{LogState, Op};

const LOG_BYTES_MAX: i64 = 64 * 1024;

fn short() -> ConfigsSettings {
    ConfigsSettings { watch_log_bytes_max: LOG_BYTES_MAX.cast_unsigned(), ..wide() }
}

/// Makes and deletes a configuration, so often.
async fn pairs(holder: &Holder, name: &str, count: usize) {
    for number in 0..count {
        let key = format!("{name}{number}");
        holder.create(new(&key, "1")).await.unwrap();
        holder.delete(any(&key)).await.unwrap();
    }
}

/// What is noted of the log, and what its entries count for, all of them.
async fn weighed(bed: &Bed, holder: &Holder) -> (LogState, i64) {
    let (space, repo) = (holder.space().await.unwrap().unwrap(), &bed.configs.0.repo);
    let entries = repo.log_entries(&space.keys, Version(u64::MAX)).await.unwrap();
    (repo.log_state(&space.keys).await.unwrap(), entries.iter().map(|entry| entry.charge).sum())
}

/// What is reserved of the total when every process has given back what it does not use.
async fn total(bed: &Bed) -> i64 {
    let partition = Partition::new(Table::new("config_totals"), "all");
    let found = bed.sealed.get(&partition, &Sort::of("b").build()).await.unwrap();
    found.map_or(0, |found| found.counter().unwrap())
}

#[tokio::test]
async fn what_is_made_and_deleted_leaves_a_log_that_is_bounded_and_counts_in_the_total() {
    for bed in Bed::each_with(&short()).await {
        let ann = bed.holder("the key of ann").await;
        pairs(&ann, "a", 50).await;
        let (state, there) = weighed(&bed, &ann).await;
        assert!(state.bytes == there && there > 100 * 256, "{state:?}, {there}");
        assert_eq!(state.floor, Version(0), "nothing had to go yet");
        let another = bed.another().await;
        let elsewhere = another.holder(b"the key of ann", CLIENT).await.unwrap();
        tokio::join!(pairs(&ann, "b", 150), pairs(&elsewhere, "c", 150));
        let (state, there) = weighed(&bed, &ann).await;
        assert_eq!(state.bytes, there);
        assert!(there <= LOG_BYTES_MAX && there > LOG_BYTES_MAX / 4, "{there}");
        assert!(state.floor > Version(0));
        bed.configs.close().await.unwrap();
        another.close().await.unwrap();
        assert_eq!(total(&bed).await, there, "nothing but the log is there");
    }
}

#[tokio::test]
async fn many_who_write_at_once_do_not_get_away_from_who_cuts() {
    for bed in Bed::each_with(&short()).await {
        let ann = bed.holder("the key of ann").await;
        ann.create(new("first", "1")).await.unwrap();
        let writers = (0..16).map(|writer| {
            let ann = ann.clone();
            tokio::spawn(async move { pairs(&ann, &format!("{writer}-"), 30).await })
        });
        let (mut most, writers) = (0, futures_util::future::join_all(writers.collect::<Vec<_>>()));
        let mut writers = std::pin::pin!(writers);
        loop {
            tokio::select! {
                done = &mut writers => break done.into_iter().for_each(Result::unwrap),
                () = tokio::time::sleep(Duration::from_millis(5)) => most = most.max(weighed(&bed, &ann).await.0.bytes),
            }
        }
        assert!(most > 0 && most < 2 * LOG_BYTES_MAX + 16 * 1024, "{most}");
        let (state, there) = weighed(&bed, &ann).await;
        assert_eq!(state.bytes, there);
    }
}

#[tokio::test]
async fn what_expired_is_given_back_when_the_log_is_looked_at_again() {
    for bed in Bed::each_with(&short()).await {
        let ann = bed.holder("the key of ann").await;
        pairs(&ann, "a", 20).await;
        bed.clock.advance(Duration::from_hours(25));
        let ann = bed.holder("the key of ann").await;
        ann.create(new("b", "1")).await.unwrap();
        let (state, there) = weighed(&bed, &ann).await;
        assert_eq!(state.bytes, there);
        assert!(there < 2 * 512, "one entry is there: {there}");
        assert!(bed.configs.close().await.is_ok());
        assert_eq!(total(&bed).await, there + 256 + 1 + 7 + 1, "the log and the configuration");
    }
}

#[tokio::test]
async fn a_full_total_refuses_what_is_new_and_lets_everything_be_deleted() {
    let settings = ConfigsSettings { total_bytes_max: 100_000, ..short() };
    for bed in Bed::each_with(&settings).await {
        let ann = bed.holder("the key of ann").await;
        let mut made = 0;
        while ann.create(new(&made.to_string(), "1")).await.is_ok() {
            made += 1;
        }
        assert!((360..=376).contains(&made), "a log gives way to what it is the log of: {made}");
        let full = ann.create(new("x", "1")).await;
        assert!(matches!(full, Err(ConfigsError::Full { .. })));
        for number in 0..made {
            ann.delete(any(&number.to_string())).await.unwrap();
        }
        for number in 0..made {
            // As many as before: the log of what was deleted is in nobody's way.
            ann.create(new(&number.to_string(), "1")).await.unwrap();
        }
    }
}

/// The numbers in the keys of what was made, as a watcher is told them, until he is told that some are gone.
async fn followed(watcher: &mut Watcher, until: usize) -> (Vec<usize>, Option<ConfigsError>) {
    let mut told = Vec::new();
    while told.last() != Some(&until) {
        match watcher.next().await {
            Ok(page) => {
                let made = page.events.iter().filter(|event| event.change.op == Op::Created);
                told.extend(made.map(|event| event.change.key[1..].parse::<usize>().unwrap()));
            }
            Err(error) => return (told, Some(error)),
        }
    }
    (told, None)
}

#[tokio::test]
async fn whoever_watches_sees_every_change_in_order_or_is_told_that_some_are_gone() {
    for bed in Bed::each_with(&short()).await {
        let ann = bed.holder("the key of ann").await;
        ann.create(new("first", "1")).await.unwrap();
        let mut idle = ann.watch(WatchFilter::default(), None).await.unwrap();
        idle.next().await.unwrap();
        let early: Position = idle.position();
        let mut watcher = ann.watch(WatchFilter::default(), None).await.unwrap();
        let writer = {
            let ann = ann.clone();
            tokio::spawn(async move { pairs(&ann, "k", 400).await })
        };
        let (told, error) = followed(&mut watcher, 399).await;
        writer.await.unwrap();
        assert!(told.iter().copied().eq(0..told.len()), "without a gap: {told:?}");
        assert!(matches!(error, None | Some(ConfigsError::ChangesGone)), "{error:?}");
        // Who slept through it, and who comes back with a position of before: both are told.
        assert!(matches!(idle.next().await, Err(ConfigsError::ChangesGone)));
        let resumed = ann.watch(WatchFilter::default(), Some(early)).await;
        assert!(matches!(resumed, Err(ConfigsError::ChangesGone)));
        // And whose position is of what is still there goes on.
        let (state, _) = weighed(&bed, &ann).await;
        let mut kept = idle.at(state.floor.0);
        kept.place.seen_at = Some(bed.clock.now());
        let mut watcher = ann.watch(WatchFilter::default(), Some(kept)).await.unwrap();
        let (told, error) = followed(&mut watcher, 399).await;
        assert!(error.is_none() && told.windows(2).all(|two| two[1] == two[0] + 1), "{told:?}");
    }
}
