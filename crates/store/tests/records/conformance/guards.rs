use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use coffer_store::records::{Commit, Guard, Outcome, Version};
use tokio::task::JoinSet;

use crate::bed::{Bed, bytes_of, key, part};

pub(super) async fn of_many_racing_creations_one_wins(bed: Bed) {
    for round in 0..10 {
        let mut racers = JoinSet::new();
        for racer in 0..32 {
            let records = Arc::clone(&bed.records);
            let partition = part(format!("round {round}"));
            racers.spawn(async move {
                let claim = Commit::new().absent(&key("claim")).put(&key("claim"), racer.to_string(), None);
                (racer, records.commit(&partition, claim).await.unwrap())
            });
        }
        let outcomes = racers.join_all().await;
        let winners: Vec<_> = outcomes.iter().filter(|(_, outcome)| outcome.is_committed()).collect();
        let [(winner, _)] = winners[..] else { panic!("{} winners", winners.len()) };
        let record = bed.get(&part(format!("round {round}")), &key("claim")).await.unwrap();
        assert_eq!(bytes_of(&record), winner.to_string().as_bytes());
    }
}

pub(super) async fn no_update_is_lost_under_contention(bed: Bed) {
    bed.commit(&part("p"), Commit::new().put(&key("n"), "0", None)).await;
    let mut writers = JoinSet::new();
    for _ in 0..16 {
        let records = Arc::clone(&bed.records);
        writers.spawn(async move {
            let (partition, sort) = (part("p"), key("n"));
            let mut done = 0;
            while done < 5 {
                let record = records.get(&partition, &sort).await.unwrap().unwrap();
                let number: u32 = std::str::from_utf8(bytes_of(&record)).unwrap().parse().unwrap();
                let next = Commit::new().at_version(&sort, record.version).put(
                    &sort,
                    (number + 1).to_string(),
                    None,
                );
                done += u32::from(records.commit(&partition, next).await.unwrap().is_committed());
            }
        });
    }
    writers.join_all().await;
    assert_eq!(bytes_of(&bed.get(&part("p"), &key("n")).await.unwrap()), b"80");
}

pub(super) async fn a_refused_commit_changes_nothing_and_names_the_guard(bed: Bed) {
    let first = bed.commit(&part("p"), Commit::new().put(&key("a"), "kept", None)).await;
    let refused = Commit::new()
        .at_version(&key("a"), first.version)
        .absent(&key("b"))
        .absent(&key("a"))
        .at_version(&key("b"), Version(1))
        .put(&key("a"), "lost", None)
        .put(&key("c"), "lost", None)
        .add(&key("n"), 1, None);
    let outcome = bed.records.commit(&part("p"), refused).await.unwrap();
    assert_eq!(outcome, Outcome::Refused { guard: 2 });
    assert_eq!(bytes_of(&bed.get(&part("p"), &key("a")).await.unwrap()), b"kept");
    assert_eq!(bed.get(&part("p"), &key("c")).await, None);
    assert_eq!(bed.get(&part("p"), &key("n")).await, None);
}

pub(super) async fn a_guard_looks_at_the_version(bed: Bed) {
    let first = bed.commit(&part("p"), Commit::new().put(&key("a"), "same", None)).await.version;
    let second = bed.commit(&part("p"), Commit::new().put(&key("a"), "same", None)).await.version;
    let at = |version| Guard::AtVersion(key("a"), version);
    assert!(!bed.holds(&part("p"), at(first)).await);
    assert!(bed.holds(&part("p"), at(second)).await);
    assert!(!bed.holds(&part("p"), at(Version(u64::MAX))).await);
    assert!(!bed.holds(&part("p"), Guard::AtVersion(key("none"), Version(0))).await);
    assert!(!bed.holds(&part("p"), Guard::Absent(key("a"))).await);
    assert!(bed.holds(&part("p"), Guard::Absent(key("none"))).await);
}

pub(super) async fn versions_are_never_used_twice(bed: Bed) {
    let mut seen = HashSet::new();
    let mut last = Version(0);
    let put = || Commit::new().put(&key("a"), "x", None);
    for round in 0..50 {
        let expiring = Commit::new().put(&key("a"), "x", Some(bed.after(Duration::from_secs(1))));
        let commit = if round % 3 == 0 { expiring } else { put() };
        let version = bed.commit(&part("p"), commit).await.version;
        assert!(seen.insert(version) && version > last, "{version:?} after {last:?}");
        last = version;
        // Empty the partition in different ways, or not at all; a sweep may forget it altogether.
        match round % 4 {
            0 => drop(bed.commit(&part("p"), Commit::new().delete(&key("a"))).await),
            1 => bed.clock.advance(Duration::from_secs(2)),
            2 => {
                bed.commit(&part("p"), Commit::new().delete(&key("a"))).await;
                bed.records.sweep(part("p").table(), None, 10).await.unwrap();
            }
            _ => {}
        }
    }
    // A version of an earlier life does not match the new one.
    assert!(!bed.holds(&part("p"), Guard::AtVersion(key("a"), Version(last.0 - 1))).await);
}
