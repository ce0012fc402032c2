use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coffer_core::Clock as _;
use coffer_store::records::{Page, Partition};
use tokio::task::JoinSet;

use super::super::{Condition, Event, Kv, KvError, KvSettings, Position, PutRequest};
use super::bed::{Bed, ann, anns, blob, key, noise, request, text};
use crate::repo::kv::Op;
use crate::repo::kv::due::MARKS;

/// Everything that happened after a position.
pub(crate) async fn all_after(kv: &Kv, prefix: &str, mut after: Position) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let page = kv.changes(&ann(), anns(), prefix, after).await.unwrap();
        events.extend(page.events);
        after = page.position;
        if !page.more {
            return events;
        }
    }
}

#[tokio::test]
async fn each_change_is_told_once_in_order_and_by_prefix() {
    let bed = Bed::memory();
    let start = bed.kv.position(&ann(), anns(), "").await.unwrap();
    let first = bed.put("a/1", "1").await;
    bed.put("b", "1").await;
    bed.kv.delete(&ann(), anns(), &key("a/1"), Condition::None).await.unwrap();
    bed.kv.restore_from_trash(&ann(), &key("a/1")).await.unwrap();
    let told = |events: Vec<Event>| -> Vec<_> {
        events.into_iter().map(|event| (event.key, event.op, event.version)).collect()
    };
    let a = |op, version| ("a/1".to_owned(), op, version);
    let all = all_after(&bed.kv, "a/", start).await;
    assert_eq!((all[0].revision, all[0].by), (first.revision, Some(ann().principal.user_id)));
    assert_eq!(told(all), [a(Op::Put, 1), a(Op::Delete, 1), a(Op::Restore, 2)]);
    // The revision that a writer was answered is a position.
    let from_first = Position { revision: first.revision, seen_at: None };
    assert_eq!(told(all_after(&bed.kv, "", from_first).await)[0].0, "b");
    assert!(all_after(&bed.kv, "x", start).await.is_empty());
}

#[tokio::test]
async fn a_position_that_nobody_can_have_reached_is_none() {
    let bed = Bed::memory();
    let kept = KvSettings::default().watch_retention();
    for _ in 0..2 {
        bed.put("a", "1").await;
        let present = bed.kv.position(&ann(), anns(), "").await.unwrap();
        let latest = bed.put("a", "2").await.revision;
        for (revision, is_there) in
            [(0, true), (present.revision, true), (latest, true), (latest + 1000, false)]
        {
            let position = Position { revision, seen_at: Some(bed.clock.now()) };
            let changes = bed.kv.changes(&ann(), anns(), "", position).await;
            let watched = bed.kv.watch(&ann(), anns(), "", Some(position)).await;
            assert_eq!((changes.is_ok(), watched.is_ok()), (is_there, is_there), "{position}");
            let gone = matches!((changes, watched), (Err(KvError::Gone), Err(KvError::Gone)));
            assert_eq!(gone, !is_there, "{position}");
        }
        let tomorrow = Position { seen_at: Some(bed.after(Duration::from_hours(24))), ..present };
        assert!(matches!(bed.kv.changes(&ann(), anns(), "", tomorrow).await, Err(KvError::Position)));
        // The same when nobody has asked for a position for long.
        bed.clock.advance(kept);
    }
}

#[tokio::test]
async fn a_position_whose_changes_are_no_longer_kept_is_gone_and_never_a_gap() {
    let settings = KvSettings { watch_retention_s: 60, ..KvSettings::default() };
    let bed = Bed::memory_with(settings);
    let changes = async |position| bed.kv.changes(&ann(), anns(), "", position).await;
    let start = bed.kv.position(&ann(), anns(), "").await.unwrap();
    let first = bed.put("a", "1").await;
    let at_first = Position { revision: first.revision, seen_at: None };
    bed.clock.advance(Duration::from_secs(29));
    bed.put("a", "2").await;
    assert_eq!(changes(start).await.unwrap().events.len(), 2);
    assert_eq!(changes(at_first).await.unwrap().events.len(), 1);
    bed.clock.advance(Duration::from_secs(31));
    for gone in [start, at_first, Position { revision: 0, seen_at: None }] {
        assert!(matches!(changes(gone).await, Err(KvError::Gone)), "{gone:?}");
        assert!(matches!(bed.kv.watch(&ann(), anns(), "", Some(gone)).await, Err(KvError::Gone)));
    }
    // A watcher who keeps looking has a position that lives on though nothing happens.
    let mut position = bed.kv.position(&ann(), anns(), "").await.unwrap();
    for _ in 0..10 {
        bed.clock.advance(Duration::from_secs(20));
        position = changes(position).await.unwrap().position;
    }
}

#[tokio::test]
async fn an_expiry_is_told_once_however_many_collect_and_leaves_nothing_behind() {
    for bed in [Bed::memory(), Bed::redis_with(KvSettings::default()).await] {
        let other = bed.another();
        let start = bed.kv.position(&ann(), anns(), "").await.unwrap();
        for (number, seconds) in [(1, 10), (2, 20), (3, 10)] {
            let expires_at = Some(bed.after(Duration::from_secs(seconds)));
            let put =
                PutRequest { expires_at, value: blob(noise(5_000)), ..request(&number.to_string(), "0") };
            bed.kv.put(&ann(), anns(), &put).await.unwrap();
        }
        bed.clock.advance(Duration::from_secs(10));
        bed.put("3", "777").await;
        let (one, two) = tokio::join!(bed.kv.collect(), other.collect());
        assert_eq!(one.unwrap() + two.unwrap(), 2);
        bed.clock.advance(Duration::from_secs(10));
        assert_eq!(other.collect().await.unwrap(), 1, "the next mark was set");
        let told: Vec<_> = all_after(&bed.kv, "", start).await;
        let expired: Vec<_> =
            told.iter().filter(|event| event.op == Op::Expire).map(|event| &*event.key).collect();
        assert_eq!(expired, ["1", "2"], "who watches was told that the third was stored anew");
        let totals = bed.totals().await;
        assert_eq!((totals.keys, totals.plain_bytes), (1, 3), "{totals:?}");
        assert_eq!(bed.parts().await, 0);
        bed.clock.advance(Duration::from_hours(1));
        assert_eq!(bed.kv.collect().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn one_mark_is_enough_for_all_that_is_due_later() {
    let bed = Bed::memory();
    let marks = async || {
        let all = coffer_store::records::SortRange::all();
        let page: Page<_> = bed.sealed.scan_keys(&Partition::new(MARKS, "all"), &all, 100).await.unwrap();
        page.items.len()
    };
    for minutes in [10, 20, 30, 15] {
        let expires_at = Some(bed.after(Duration::from_mins(minutes)));
        bed.kv
            .put(&ann(), anns(), &PutRequest { expires_at, ..request(&minutes.to_string(), "1") })
            .await
            .unwrap();
    }
    assert_eq!(marks().await, 1);
    let expires_at = Some(bed.after(Duration::from_mins(5)));
    bed.kv.put(&ann(), anns(), &PutRequest { expires_at, ..request("sooner", "1") }).await.unwrap();
    assert_eq!(marks().await, 2);
    bed.clock.advance(Duration::from_mins(31));
    assert_eq!(bed.another().collect().await.unwrap(), 5);
    assert_eq!(marks().await, 0);
}

const WRITERS: usize = 6;
const WRITES: usize = 10;

async fn write_together(kvs: [Kv; 2]) {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let kv = kvs[writer % 2].clone();
        writers.spawn(async move {
            for number in 0..WRITES {
                let value = format!("\"{writer} {number}\"");
                kv.put(&ann(), anns(), &request("k", &value)).await.unwrap();
            }
        });
    }
    writers.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_of_one_key_in_two_processes_lose_nothing() {
    let settings = KvSettings { versions_per_key_max: 64, ..KvSettings::default() };
    for bed in [Bed::memory_with(settings), Bed::sqlite_with(settings), Bed::redis_with(settings).await] {
        let other = bed.another();
        let start = bed.kv.position(&ann(), anns(), "").await.unwrap();
        write_together([bed.kv.clone(), other.clone()]).await;
        let history = bed.kv.history(&ann(), anns(), &key("k")).await.unwrap();
        assert_eq!(history, other.history(&ann(), anns(), &key("k")).await.unwrap(), "they agree");
        let mut values = Vec::new();
        for version in 1..=(WRITERS * WRITES) as u64 {
            let item = other.get(&ann(), anns(), &key("k"), Some(version)).await.unwrap();
            values.push(text(&item).replace('"', ""));
        }
        for writer in 0..WRITERS {
            let own = values.iter().filter_map(|value| value.strip_prefix(&format!("{writer} ")));
            assert!(own.map(|number| number.parse::<usize>().unwrap()).eq(0..WRITES), "of writer {writer}");
        }
        let told: Vec<_> =
            all_after(&other, "", start).await.into_iter().map(|event| event.version).collect();
        assert_eq!(told, (1..=(WRITERS * WRITES) as u64).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_that_drop_and_resume_see_every_change_once_and_in_order() {
    let settings = KvSettings::default();
    for bed in [Bed::memory(), Bed::sqlite_with(settings), Bed::redis_with(settings).await] {
        let other = bed.another();
        let over = Arc::new(AtomicBool::new(false));
        let mut watchers = JoinSet::new();
        for (kv, prefix) in [(bed.kv.clone(), ""), (other.clone(), "a"), (other.clone(), "b")] {
            let mut watcher = kv.watch(&ann(), anns(), prefix, None).await.unwrap();
            let over = Arc::clone(&over);
            watchers.spawn(async move {
                let (mut seen, mut pages) = (Vec::new(), 0);
                loop {
                    let last_look = over.load(Ordering::SeqCst);
                    let page = watcher.next().await.unwrap();
                    let is_end = last_look && page.events.is_empty();
                    seen.extend(page.events);
                    pages += 1;
                    if is_end {
                        return (prefix, seen);
                    }
                    if pages % 3 == 0 {
                        // As a client does: with the text of the position it was told last.
                        let position: Position = watcher.position().to_string().parse().unwrap();
                        drop(watcher);
                        watcher = kv.watch(&ann(), anns(), prefix, Some(position)).await.unwrap();
                    }
                }
            });
        }
        let mut writers = JoinSet::new();
        for (kv, name) in [(bed.kv.clone(), "a"), (other.clone(), "b"), (other.clone(), "ab")] {
            writers.spawn(async move {
                for number in 0..30 {
                    kv.put(&ann(), anns(), &request(name, &number.to_string())).await.unwrap();
                }
            });
        }
        writers.join_all().await;
        over.store(true, Ordering::SeqCst);
        for (prefix, seen) in watchers.join_all().await {
            let revisions: Vec<_> = seen.iter().map(|event| event.revision).collect();
            assert!(revisions.is_sorted_by(|one, next| one < next), "out of order for {prefix:?}");
            let mut versions = BTreeMap::<&str, Vec<u64>>::new();
            for event in &seen {
                versions.entry(&event.key).or_default().push(event.version);
            }
            let names: Vec<_> =
                ["a", "ab", "b"].into_iter().filter(|name| name.starts_with(prefix)).collect();
            assert!(versions.keys().eq(&names), "{prefix:?}");
            assert!(versions.values().all(|versions| versions.iter().copied().eq(1..=30)), "{versions:?}");
        }
    }
}
