//! Servers that stop, stall and come back: nothing answered is lost, and the store recovers by itself.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coffer_core::SystemClock;
use coffer_store::records::{Commit, Outcome, Partition, SortRange, StoreError, Value, open};
use coffer_store::testing::RedisServer;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{connect, get_when_back, look, put};
use crate::bed::{TABLE, WATCHED, key, part};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_at_first_is_used_once_it_is_there_and_keeps_what_it_should() {
    let server = RedisServer::start();
    server.kill();
    let store = open(&server.url(), Arc::new(SystemClock)).await.unwrap();
    let refused = store.commit(&part("p"), put("a")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    server.restart();
    let used = timeout(Duration::from_secs(20), async {
        while store.ping().await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
    });
    used.await.expect("it is found");
    assert!(store.commit(&part("p"), put("a")).await.unwrap().is_committed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_late_and_may_lose_what_it_answers_is_not_used() {
    let server = RedisServer::start_with(&["--appendonly", "no"]);
    server.kill();
    let store = open(&server.url(), Arc::new(SystemClock)).await.unwrap();
    server.restart();
    sleep(Duration::from_secs(2)).await;
    let refused = store.commit(&part("p"), put("a")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    let set = redis::cmd("CONFIG").arg("SET").arg("appendonly").arg("yes").to_owned();
    set.exec_async(&mut look(&server.url()).await).await.unwrap();
    let used = timeout(Duration::from_secs(20), async {
        while store.ping().await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
    });
    used.await.expect("it is set right");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_in_the_middle_of_commits_loses_nothing_answered() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let over = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(Mutex::new(HashSet::new()));
    let mut writers = JoinSet::new();
    for writer in 0..16 {
        let (store, over, answered) = (Arc::clone(&store), Arc::clone(&over), Arc::clone(&answered));
        writers.spawn(async move {
            for number in 0_u32.. {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                // Old and new partitions, so that registrations are interrupted too.
                let partition = part(format!("{writer} {}", number / 10));
                let name = number.to_string();
                let commit = put(&name).absent(&key(&name)).add(&key("count"), 1, None);
                match store.commit(&partition, commit).await {
                    Ok(Outcome::Committed(_)) => drop(answered.lock().unwrap().insert((partition, name))),
                    Ok(Outcome::Refused { .. }) => panic!("nobody else writes {name}"),
                    Err(StoreError::Unavailable { .. } | StoreError::OutcomeUnknown { .. }) => {
                        sleep(Duration::from_millis(5)).await;
                    }
                    Err(err) => panic!("{err}"),
                }
            }
        });
    }
    for round in 1..=4 {
        let enough = 500 * round;
        while answered.lock().unwrap().len() < enough {
            sleep(Duration::from_millis(5)).await;
        }
        server.kill();
        sleep(Duration::from_millis(50)).await;
        server.restart();
    }
    over.store(true, Ordering::SeqCst);
    writers.join_all().await;
    let answered = answered.lock().unwrap().clone();
    for (partition, name) in &answered {
        let found = get_when_back(&*store, partition, name).await;
        assert_eq!(found.as_deref(), Some(name.as_bytes()), "lost {name} of {partition:?}");
    }
    // A sweep by a new process finds every one of them, and no commit was done by half.
    let fresh = connect(&server.url()).await;
    let (mut found, mut counted, mut next) = (HashSet::new(), 0, None);
    loop {
        let page = fresh.sweep(TABLE, next.as_ref(), 1000).await.unwrap();
        for (partition, record) in page.items {
            match record.value {
                Value::Counter(number) => counted += number,
                Value::Bytes(name) => {
                    found.insert((partition, String::from_utf8(name.to_vec()).unwrap()));
                }
            }
        }
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert!(found.is_superset(&answered), "the sweep misses {:?}", answered.difference(&found).next());
    assert_eq!(usize::try_from(counted).unwrap(), found.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_while_nothing_is_under_way_is_not_noticed() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    for round in 0..5 {
        let name = round.to_string();
        assert!(store.commit(&part("p"), put(&name)).await.unwrap().is_committed());
        server.kill();
        // The connections learn of it as of any other answer, given a moment on a busy machine.
        sleep(Duration::from_millis(300)).await;
        server.restart();
        assert!(store.commit(&part("p"), put(&format!("again {name}"))).await.unwrap().is_committed());
        assert_eq!(get_when_back(&*store, &part("p"), &name).await.unwrap(), name.as_bytes());
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_reported_in_time() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    store.commit(&part("p"), put("a")).await.unwrap();
    server.freeze();
    let in_time = Duration::from_secs(5);
    let commit = timeout(in_time, store.commit(&part("p"), put("b"))).await.expect("an answer in time");
    assert!(matches!(commit, Err(StoreError::OutcomeUnknown { .. })), "{commit:?}");
    let mut waits = JoinSet::new();
    for i in 0..50 {
        let store = Arc::clone(&store);
        waits.spawn(async move {
            let commit = timeout(in_time, store.commit(&part(i.to_string()), put("c"))).await;
            let get = timeout(in_time, store.get(&part("p"), &key("a"))).await;
            commit.is_ok_and(|commit| commit.is_err())
                && matches!(get, Ok(Err(StoreError::Unavailable { .. })))
        });
    }
    assert!(waits.join_all().await.into_iter().all(|answered| answered), "callers waited too long");
    server.resume();
    assert!(get_when_back(&*store, &part("p"), "a").await.is_some());
    assert!(store.commit(&part("p"), put("d")).await.unwrap().is_committed());
}

#[tokio::test]
async fn a_server_that_starts_a_little_later_is_waited_for() {
    let server = RedisServer::start();
    server.kill();
    let url = server.url();
    let (store, ()) = tokio::join!(open(&url, Arc::new(SystemClock)), async {
        sleep(Duration::from_millis(500)).await;
        server.restart();
    });
    store.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_sent_again() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    for round in 0..3 {
        let flush = redis::cmd("SCRIPT").arg("FLUSH").to_owned();
        flush.exec_async(&mut look(&server.url()).await).await.unwrap();
        assert!(store.commit(&part(round.to_string()), put("a")).await.unwrap().is_committed());
    }
}

#[tokio::test]
async fn a_log_goes_on_where_it_was_after_a_restart_of_the_server() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let mut written = Vec::new();
    for round in 0..3 {
        get_when_back(&*store, &part("p"), "none").await;
        let commit = Commit::new().append(&key("c"), round.to_string(), None);
        let Outcome::Committed(committed) = store.commit(&part("p"), commit).await.unwrap() else {
            panic!("no guards")
        };
        written.push(Some(committed.version));
        server.kill();
        server.restart();
    }
    get_when_back(&*store, &part("p"), "none").await;
    let page = store.scan(&part("p"), &SortRange::log(&key("c"), None), 10).await.unwrap();
    let found: Vec<_> = page.items.iter().map(|record| record.sort.log_version()).collect();
    assert_eq!(found, written);
    assert!(written.is_sorted());
}

#[tokio::test]
async fn a_watcher_is_woken_again_after_a_restart() {
    let server = RedisServer::start();
    let (store, other) = (connect(&server.url()).await, connect(&server.url()).await);
    let partition = Partition::new(WATCHED, "feed");
    let mut watch = store.watch(&partition).await.unwrap();
    let limit = Duration::from_secs(10);
    other.commit(&partition, put("a")).await.unwrap();
    assert!(timeout(limit, watch.changed()).await.is_ok(), "a commit of another process");
    server.kill();
    server.restart();
    assert!(timeout(limit, watch.changed()).await.is_ok(), "something may have been missed meanwhile");
    while timeout(Duration::from_millis(500), watch.changed()).await.is_ok() {}
    other.commit(&partition, put("b")).await.unwrap();
    assert!(timeout(limit, watch.changed()).await.is_ok(), "a commit after the restart");
}
