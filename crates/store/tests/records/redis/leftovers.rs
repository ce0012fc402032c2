//! What stays in a server: no index entries and directories without records, and no secret.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coffer_core::{Clock as _, SystemClock, Timestamp};
use coffer_store::records::{Commit, Partition, SortRange};
use coffer_store::testing::RedisServer;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{connect, keys_of, look, put};
use crate::bed::{OTHER_TABLE, TABLE, key, part, redis_url};
use crate::sealed::{assert_holds_no_secret, plant};

#[tokio::test]
async fn everything_of_a_partition_that_expires_is_set_to_expire() {
    let url = redis_url();
    let store = connect(&url).await;
    let soon = Some(SystemClock.now().plus(Duration::from_secs(10)));
    let ttls = async || {
        let mut redis = look(&url).await;
        let mut ttls = Vec::new();
        for name in keys_of(&url).await {
            if name.ends_with(b"}d") {
                continue;
            }
            ttls.push(redis::cmd("TTL").arg(&name).to_owned().query_async::<i64>(&mut redis).await.unwrap());
        }
        ttls
    };
    store.commit(&part("p"), Commit::new().put(&key("a"), "x", soon).add(&key("n"), 1, soon)).await.unwrap();
    let expiring = ttls().await;
    assert_eq!(expiring.len(), 4, "two records, the index and the sequence");
    assert!(expiring.iter().all(|ttl| (300..=310).contains(ttl)), "{expiring:?}");
    store.commit(&part("p"), Commit::new().put(&key("b"), "x", None)).await.unwrap();
    assert_eq!(
        ttls().await.into_iter().filter(|ttl| *ttl == -1).count(),
        3,
        "the new record and those two stay"
    );
    let all = Commit::new().delete(&key("a")).delete(&key("b")).delete(&key("n"));
    store.commit(&part("p"), all).await.unwrap();
    let left = ttls().await;
    assert!(left.len() == 1 && left[0] > 3000, "only the sequence, for a while: {left:?}");
}

#[tokio::test]
async fn a_scan_and_a_sweep_take_stale_entries_out_of_the_index() {
    let url = redis_url();
    let (store, mut redis) = (connect(&url).await, look(&url).await);
    let index = async |redis: &mut redis::aio::MultiplexedConnection| -> usize {
        let name = keys_of(&url).await.into_iter().find(|name| name.ends_with(b"}i"));
        let Some(name) = name else { return 0 };
        redis::cmd("ZCARD").arg(name).to_owned().query_async(redis).await.unwrap()
    };
    for sweeps in [false, true] {
        let commit = put("a").put(&key("b"), "x", None).put(&key("stays"), "x", None);
        store.commit(&part("p"), commit).await.unwrap();
        // As if Redis had let them expire.
        for name in keys_of(&url)
            .await
            .iter()
            .filter(|name| name.ends_with(b"}ra\0\x01") || name.ends_with(b"}rb\0\x01"))
        {
            assert_eq!(
                redis::cmd("DEL").arg(name).to_owned().query_async::<u32>(&mut redis).await.unwrap(),
                1
            );
        }
        assert_eq!(index(&mut redis).await, 3);
        let found = if sweeps {
            store.sweep(TABLE, None, 10).await.unwrap().items.len()
        } else {
            store.scan(&part("p"), &SortRange::all(), 10).await.unwrap().items.len()
        };
        assert_eq!(found, 1);
        let limit = Instant::now() + Duration::from_secs(5);
        while index(&mut redis).await != 1 {
            assert!(Instant::now() < limit, "stale entries stay");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn an_append_takes_expired_entries_out_of_the_beginning_of_its_log() {
    let url = redis_url();
    let (store, mut redis) = (connect(&url).await, look(&url).await);
    let append = || Commit::new().append(&key("c"), "x", None);
    for _ in 0..10 {
        store.commit(&part("p"), append().put(&key("stays"), "x", None)).await.unwrap();
    }
    // As if Redis had let them expire.
    let mut entries: Vec<_> = keys_of(&url).await.into_iter().filter(|name| is_entry(name)).collect();
    entries.sort();
    for name in &entries[..9] {
        redis::cmd("DEL").arg(name).to_owned().query_async::<u32>(&mut redis).await.unwrap();
    }
    for _ in 0..16 {
        store.commit(&part("p"), append()).await.unwrap();
    }
    let index = keys_of(&url).await.into_iter().find(|name| name.ends_with(b"}i")).unwrap();
    let listed: usize = redis::cmd("ZCARD").arg(index).to_owned().query_async(&mut redis).await.unwrap();
    assert_eq!(listed, 1 + 1 + 16, "the record, the entry that was left and the new ones");
    let page = store.scan(&part("p"), &SortRange::log(&key("c"), None), 100).await.unwrap();
    assert_eq!(page.items.len(), 17);
}

fn is_entry(name: &[u8]) -> bool {
    name.windows(4).any(|window| window == b"}r\0\x02")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_that_come_and_go_do_not_pile_up_in_the_directory() {
    let url = redis_url();
    let store = connect(&url).await;
    for i in 0..3000 {
        let partition = Partition::new(OTHER_TABLE, i.to_string());
        store.commit(&partition, put("a")).await.unwrap();
        store.commit(&partition, Commit::new().delete(&key("a"))).await.unwrap();
    }
    let entries = async || {
        let mut redis = look(&url).await;
        let mut entries = 0;
        for name in keys_of(&url).await.iter().filter(|name| name.ends_with(b"}d")) {
            entries +=
                redis::cmd("ZCARD").arg(name).to_owned().query_async::<usize>(&mut redis).await.unwrap();
        }
        entries
    };
    let piled = entries().await;
    assert!(piled < 1500, "{piled} of 3000 are still there");
    let mut next = None;
    loop {
        let page = store.sweep(OTHER_TABLE, next.as_ref(), 10).await.unwrap();
        assert!(page.items.is_empty());
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(entries().await, 0, "a sweep takes all of them out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_partition_is_lost_between_emptying_sweeping_and_filling() {
    let url = redis_url();
    let mut tasks = JoinSet::new();
    let over = Arc::new(AtomicBool::new(false));
    // As several processes would: each with connections of its own.
    for _ in 0..2 {
        let (store, over) = (connect(&url).await, Arc::clone(&over));
        tasks.spawn(async move {
            while !over.load(Ordering::SeqCst) {
                let mut next = None;
                loop {
                    next = store.sweep(TABLE, next.as_ref(), 100).await.unwrap().next;
                    if next.is_none() {
                        break;
                    }
                }
            }
        });
    }
    let mut fillers = JoinSet::new();
    for filler in 0..4 {
        let store = connect(&url).await;
        fillers.spawn(async move {
            for round in 0..400 {
                // All of them fill and empty the same few partitions.
                let partition = part(((round + filler) % 3).to_string());
                let name = filler.to_string();
                store.commit(&partition, put(&name)).await.unwrap();
                store.commit(&partition, Commit::new().delete(&key(&name))).await.unwrap();
            }
            for place in 0..3 {
                store.commit(&part(place.to_string()), put(&filler.to_string())).await.unwrap();
            }
        });
    }
    fillers.join_all().await;
    over.store(true, Ordering::SeqCst);
    tasks.join_all().await;
    let found = connect(&url).await.sweep(TABLE, None, 100).await.unwrap();
    let found: HashSet<_> =
        found.items.into_iter().map(|(partition, record)| (partition, record.sort)).collect();
    assert_eq!(found.len(), 12, "{found:?}");
}

#[tokio::test]
async fn no_secret_is_in_the_files_of_redis() {
    let server = RedisServer::start();
    plant(connect(&server.url()).await).await;
    redis::cmd("SAVE").exec_async(&mut look(&server.url()).await).await.unwrap();
    assert_holds_no_secret(&server.dump());
    let record = connect(&server.url()).await.get(&part("0"), &key("visible-name")).await.unwrap().unwrap();
    assert_eq!(record.expires_at, Some(Timestamp::from_ms(i64::MAX)));
}
