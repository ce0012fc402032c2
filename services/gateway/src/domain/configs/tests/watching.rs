//! Watching: who is told what, from where on, and until when.

use std::time::Duration;

use super::bed::{Bed, CLIENT, any, at, create_in, new, value, wide};
use crate::domain::configs::{
    ConfigsError, ConfigsSettings, Holder, NewConfig, Position, Promotion, Update, WatchFilter, Watcher,
};
use crate::repo::configs::Op;

/// A watcher looks about once a second.
const SOON: Duration = Duration::from_secs(20);

async fn beds() -> [Bed; 3] {
    [Bed::memory().await, Bed::sqlite().await, Bed::redis().await]
}

async fn watch(holder: &Holder, after: Option<Position>) -> Watcher {
    holder.watch(WatchFilter::default(), after).await.unwrap()
}

/// The next changes, so many of them: revision, key and environment, what happened, version.
async fn told(watcher: &mut Watcher, number: usize) -> Vec<(u64, String, Op, u64)> {
    let mut told = Vec::new();
    let begun = tokio::time::Instant::now();
    while told.len() < number {
        assert!(begun.elapsed() < SOON, "told only {told:?}");
        let events = watcher.next().await.unwrap().events.into_iter();
        told.extend(events.map(|event| {
            let name = format!("{}@{}", event.change.key, event.change.environment);
            (event.revision, name, event.change.op, event.change.version)
        }));
    }
    told
}

fn shape(told: Vec<(u64, String, Op, u64)>) -> Vec<(String, Op, u64)> {
    told.into_iter().map(|(_, name, op, version)| (name, op, version)).collect()
}

#[tokio::test]
async fn revisions_tell_nothing_of_what_others_do() {
    for bed in beds().await {
        let (ann, ben) = (bed.holder("the key of ann").await, bed.holder("the key of ben").await);
        ben.create(new("mine", "1")).await.unwrap();
        let mut watcher = watch(&ben, None).await;
        ben.update(any("mine"), value("2")).await.unwrap();
        let before = told(&mut watcher, 1).await[0].0;
        for number in 0..20 {
            ann.create(new(&format!("a{number}"), "1")).await.unwrap();
        }
        ben.update(any("mine"), value("3")).await.unwrap();
        assert_eq!(told(&mut watcher, 1).await[0].0, before + 1);
    }
}

#[tokio::test]
async fn whoever_watches_is_told_in_order_what_happens_from_then_on() {
    for bed in beds().await {
        let ann = bed.holder("the key of ann").await;
        ann.create(new("before", "1")).await.unwrap();
        let mut watcher = watch(&ann, None).await;
        assert!(watcher.next().await.unwrap().events.is_empty(), "nothing has happened since");
        let another = bed.another().await.holder(b"the key of ann", CLIENT).await.unwrap();
        create_in(&another, "a", "staging", "1").await;
        ann.update(any("a"), value("2")).await.unwrap();
        let keys = ["a".to_owned()];
        ann.promote(Promotion { keys: &keys, from: "staging", to: "production", overwrite: false })
            .await
            .unwrap();
        ann.update(at("a", "staging"), Update { environment: Some("test"), ..value("3") }).await.unwrap();
        another.delete(at("a", "test")).await.unwrap();
        let found = told(&mut watcher, 6).await;
        assert_eq!(found[3].0, found[4].0, "a move is one commit");
        let expected = [
            ("a@staging", Op::Created, 1),
            ("a@staging", Op::Updated, 2),
            ("a@production", Op::Created, 1),
            ("a@staging", Op::Deleted, 2),
            ("a@test", Op::Created, 3),
            ("a@test", Op::Deleted, 3),
        ];
        let expected: Vec<_> = expected.map(|(name, op, n)| (name.to_owned(), op, n)).into();
        assert_eq!(shape(found), expected);
    }
}

#[tokio::test]
async fn a_filter_lets_through_what_it_names_also_what_leaves_the_category() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    let filter = |prefix: &str, environment: Option<&str>, category: Option<&str>| WatchFilter {
        prefix: prefix.to_owned(),
        environment: environment.map(str::to_owned),
        category: category.map(str::to_owned),
    };
    let mut of_prefix = ann.watch(filter("db/", None, None), None).await.unwrap();
    let mut of_environment = ann.watch(filter("", Some("test"), None), None).await.unwrap();
    let mut of_category = ann.watch(filter("", None, Some("c")), None).await.unwrap();
    let make = async |key, environment, category| {
        let (environment, value) = (Some(environment), "1");
        ann.create(NewConfig { key, environment, category, value }).await.unwrap();
    };
    make("db/a", "default", Some("c")).await;
    make("a", "test", Some("d")).await;
    make("b", "default", None).await;
    ann.update(any("db/a"), Update { category: Some("d"), ..value("2") }).await.unwrap();
    ann.update(any("db/a"), value("3")).await.unwrap();
    make("db/z", "test", Some("c")).await;
    let names = |told: Vec<(String, Op, u64)>| {
        told.into_iter().map(|(name, _, version)| format!("{name} {version}")).collect::<Vec<_>>()
    };
    let told_of = async |watcher: &mut Watcher, number| names(shape(told(watcher, number).await));
    let expected = ["db/a@default 1", "db/a@default 2", "db/a@default 3", "db/z@test 1"];
    assert_eq!(told_of(&mut of_prefix, 4).await, expected);
    assert_eq!(told_of(&mut of_environment, 2).await, ["a@test 1", "db/z@test 1"]);
    assert_eq!(told_of(&mut of_category, 3).await, ["db/a@default 1", "db/a@default 2", "db/z@test 1"]);
}

#[tokio::test]
async fn whoever_drops_and_resumes_elsewhere_sees_every_change_once() {
    for bed in beds().await {
        let ann = bed.holder("the key of ann").await;
        let another = bed.another().await.holder(b"the key of ann", CLIENT).await.unwrap();
        let mut watcher = watch(&ann, None).await;
        let mut seen = Vec::new();
        for round in 0..4 {
            for n in 0..5 {
                let holder = if n % 2 == 0 { &ann } else { &another };
                holder.create(new(&format!("{round}{n}"), "1")).await.unwrap();
            }
            seen.extend(told(&mut watcher, 3).await);
            let position = seen.last().map(|last| watcher.at(last.0).to_string());
            let holder = if round % 2 == 0 { &another } else { &ann };
            watcher = watch(holder, position.map(|text| text.parse().unwrap())).await;
        }
        while seen.len() < 20 {
            seen.extend(told(&mut watcher, 1).await);
        }
        let expected: Vec<_> = (0..4).flat_map(|a| (0..5).map(move |b| format!("{a}{b}@default"))).collect();
        assert_eq!(seen.into_iter().map(|one| one.1).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn a_user_key_that_opens_nothing_yet_is_told_of_the_first_that_is_stored() {
    for bed in beds().await {
        let ann = bed.holder("the key of ann").await;
        let mut watcher = watch(&ann, None).await;
        assert!(watcher.next().await.unwrap().events.is_empty());
        let before = watcher.position();
        let another = bed.another().await.holder(b"the key of ann", CLIENT).await.unwrap();
        another.create(new("a", "1")).await.unwrap();
        assert_eq!(told(&mut watcher, 1).await[0].1, "a@default");
        let mut resumed = watch(&ann, Some(before)).await;
        assert_eq!(told(&mut resumed, 1).await[0].1, "a@default");
    }
}

#[tokio::test]
async fn a_move_to_another_user_key_ends_the_watch_and_the_new_one_goes_on_from_there() {
    for bed in beds().await {
        let ann = bed.holder("the old key").await;
        ann.create(new("a", "1")).await.unwrap();
        let mut watcher = watch(&ann, None).await;
        watcher.next().await.unwrap();
        let position = watcher.position();
        let another = bed.another().await;
        another.rekey((b"the old key", b"the new key"), CLIENT).await.unwrap();
        let moved = another.holder(b"the new key", CLIENT).await.unwrap();
        moved.create(new("b", "2")).await.unwrap();
        let refused = loop {
            match watcher.next().await {
                Ok(page) => assert!(page.events.is_empty(), "nothing is told after the move"),
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, ConfigsError::NotOurs), "{refused}");
        let again = ann.watch(WatchFilter::default(), Some(position)).await;
        assert!(matches!(again, Err(ConfigsError::NotOurs)));
        // Who uses the old user key anew has another name space, in which the position means nothing.
        ann.create(new("c", "3")).await.unwrap();
        let again = ann.watch(WatchFilter::default(), Some(position)).await;
        assert!(matches!(again, Err(ConfigsError::NotOurs)));
        let mut watcher = watch(&moved, Some(position)).await;
        assert_eq!(told(&mut watcher, 1).await[0].1, "b@default");
    }
}

#[tokio::test]
async fn a_position_of_one_user_key_is_none_of_another_and_nothing_is_told_of_others() {
    let bed = Bed::memory().await;
    let (ann, bob) = (bed.holder("the key of ann").await, bed.holder("the key of bob").await);
    ann.create(new("a", "1")).await.unwrap();
    let position = watch(&ann, None).await.position();
    for _ in 0..2 {
        let refused = bob.watch(WatchFilter::default(), Some(position)).await;
        assert!(matches!(refused, Err(ConfigsError::NotOurs)), "whether bob has something or nothing");
        let _ = bob.create(new("of bob", "1")).await;
    }
    let mut watcher = watch(&bob, None).await;
    ann.create(new("b", "1")).await.unwrap();
    bob.create(new("c", "1")).await.unwrap();
    assert_eq!(told(&mut watcher, 1).await[0].1, "c@default");
}

#[tokio::test]
async fn a_watch_ends_with_the_life_of_the_derived_key_and_a_position_with_the_log() {
    let bed = Bed::memory_with(ConfigsSettings { watch_retention_s: 3600, ..wide() }).await;
    let ann = bed.holder("the key of ann").await;
    ann.create(new("a", "1")).await.unwrap();
    let mut watcher = watch(&ann, None).await;
    ann.create(new("b", "1")).await.unwrap();
    let told_at = told(&mut watcher, 1).await[0].0;
    let (looked, changed) = (watcher.position(), watcher.at(told_at));
    bed.clock.advance(Duration::from_mins(50));
    for position in [looked, changed] {
        watch(&ann, Some(position)).await;
    }
    bed.clock.advance(Duration::from_mins(11));
    for position in [looked, changed] {
        let gone = ann.watch(WatchFilter::default(), Some(position)).await;
        assert!(matches!(gone, Err(ConfigsError::ChangesGone)));
    }
    watcher.next().await.unwrap();
    bed.clock.advance(Duration::from_hours(7));
    assert!(matches!(watcher.next().await, Err(ConfigsError::Forgotten)));
}
