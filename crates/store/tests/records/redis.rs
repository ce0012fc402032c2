//! What Redis promises beyond the contract: durability, recovery by itself, and keys that do not pile up.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coffer_core::{Clock as _, SystemClock, Timestamp};
use coffer_store::records::{Commit, Outcome, Partition, Records, SortRange, StoreError, open, open_synced};
use coffer_store::testing::RedisServer;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::bed::{OTHER_TABLE, TABLE, WATCHED, bytes_of, key, part, redis_url};
use crate::sealed::{assert_holds_no_secret, plant};

async fn connect(url: &str) -> Arc<dyn Records> {
    open(url, Arc::new(SystemClock)).await.unwrap()
}

/// A connection that looks behind the store's back.
async fn look(url: &str) -> redis::aio::MultiplexedConnection {
    let plain = url.split('?').next().unwrap();
    redis::Client::open(plain).unwrap().get_multiplexed_async_connection().await.unwrap()
}

async fn keys_of(url: &str) -> Vec<Vec<u8>> {
    let prefix = url.split("prefix=").nth(1).unwrap();
    let command = redis::cmd("KEYS").arg(format!("{prefix}:*")).to_owned();
    command.query_async(&mut look(url).await).await.unwrap()
}

fn put(text: &str) -> Commit {
    Commit::new().put(&key(text), text.to_owned(), None)
}

/// Tries until the server is back; it comes back by itself.
async fn get_when_back(store: &dyn Records, partition: &Partition, text: &str) -> Option<Vec<u8>> {
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        match store.get(partition, &key(text)).await {
            Ok(record) => return record.map(|record| bytes_of(&record).to_vec()),
            Err(StoreError::Unavailable { .. }) if Instant::now() < limit => {
                sleep(Duration::from_millis(20)).await;
            }
            Err(err) => panic!("{err}"),
        }
    }
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
                coffer_store::records::Value::Counter(number) => counted += number,
                coffer_store::records::Value::Bytes(name) => {
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
async fn a_server_that_may_lose_data_is_refused_unless_told_otherwise() {
    let cases: [(&[&str], &str); 3] = [
        (&["--appendonly", "no"], "appendonly yes"),
        (&["--appendonly", "yes", "--appendfsync", "no"], "appendfsync always"),
        (&["--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"], "maxmemory-policy noeviction"),
    ];
    for (settings, advice) in cases {
        let server = RedisServer::start_with(settings);
        let err = open(&server.url(), Arc::new(SystemClock)).await.unwrap_err();
        assert!(matches!(&err, StoreError::Settings(text) if text.contains(advice)), "{err}");
        let unchecked = connect(&format!("{}?durability=unchecked", server.url())).await;
        unchecked.ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_syncs_every_second_is_refused_only_where_every_write_must_be_on_disk() {
    let server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "everysec"]);
    open(&server.url(), Arc::new(SystemClock)).await.unwrap();
    let err = open_synced(&server.url(), Arc::new(SystemClock)).await.unwrap_err();
    let advice = "`appendfsync always` (it is `everysec`)";
    assert!(matches!(&err, StoreError::Settings(text) if text.contains(advice)), "{err}");
    let unchecked = format!("{}?durability=unchecked", server.url());
    open_synced(&unchecked, Arc::new(SystemClock)).await.unwrap();
    open_synced(&RedisServer::start().url(), Arc::new(SystemClock)).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_reported_and_not_repeated() {
    let server = RedisServer::start();
    let password = redis::cmd("CONFIG").arg("SET").arg("requirepass").arg("sesame").to_owned();
    password.exec_async(&mut look(&server.url()).await).await.unwrap();
    let address = server.url().replace("redis://", "");
    let err = open(&format!("redis://:hunter2@{address}"), Arc::new(SystemClock)).await.unwrap_err();
    let text = format!("{err} {err:?}");
    assert!(matches!(err, StoreError::Settings(_)) && text.contains("password"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    let nobody = open("redis://:hunter2@127.0.0.1:1", Arc::new(SystemClock)).await.unwrap_err();
    assert!(!format!("{nobody} {nobody:?}").contains("hunter2"), "{nobody:?}");
    connect(&format!("redis://:sesame@{address}")).await.ping().await.unwrap();
}

#[tokio::test]
async fn a_server_is_spoken_to_over_tls_if_its_certificate_is_good() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(path("cert.pem"), own.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), own.signing_key.serialize_pem()).unwrap();
    let plain = RedisServer::start();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let tls = [
        ("tls-auth-clients", "no".to_owned()),
        ("tls-cert-file", path("cert.pem")),
        ("tls-key-file", path("key.pem")),
        ("tls-ca-cert-file", path("cert.pem")),
        ("tls-port", port.to_string()),
    ];
    let mut set = redis::cmd("CONFIG").arg("SET").to_owned();
    for (name, value) in tls {
        set.arg(name).arg(value);
    }
    set.exec_async(&mut look(&plain.url()).await).await.unwrap();

    let store = connect(&format!("rediss://127.0.0.1:{port}?tls_ca={}", path("cert.pem"))).await;
    assert!(store.commit(&part("p"), put("a")).await.unwrap().is_committed());
    let stranger = open(&format!("rediss://127.0.0.1:{port}"), Arc::new(SystemClock)).await;
    assert!(matches!(stranger, Err(StoreError::Unavailable { .. })), "{stranger:?}");
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
async fn two_installations_on_one_server_do_not_see_each_other() {
    let (one, other) = (connect(&redis_url()).await, connect(&redis_url()).await);
    one.commit(&part("p"), put("a")).await.unwrap();
    assert_eq!(other.get(&part("p"), &key("a")).await.unwrap(), None);
    assert!(other.sweep(TABLE, None, 10).await.unwrap().items.is_empty());
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
async fn a_commit_waits_for_replicas_when_it_is_to() {
    let primary = RedisServer::start();
    let store = connect(&format!("{}?wait_replicas=1", primary.url())).await;
    let alone = store.commit(&part("p"), put("a")).await;
    assert!(matches!(alone, Err(StoreError::OutcomeUnknown { .. })), "{alone:?}");
    let port = primary.port().to_string();
    let replica = RedisServer::start_with(&[
        "--appendonly",
        "yes",
        "--replicaof",
        "127.0.0.1",
        &port,
        "--repl-diskless-sync-delay",
        "0",
    ]);
    let limit = Instant::now() + Duration::from_secs(20);
    while !store.commit(&part("p"), put("b")).await.is_ok_and(|outcome| outcome.is_committed()) {
        assert!(Instant::now() < limit, "the replica never confirmed");
    }
    let mut commits = JoinSet::new();
    for i in 0..100 {
        let store = Arc::clone(&store);
        commits
            .spawn(async move { store.commit(&part(i.to_string()), put("x")).await.unwrap().is_committed() });
    }
    assert!(commits.join_all().await.into_iter().all(|committed| committed));
    let guard = store.commit(&part("p"), Commit::new().absent(&key("b"))).await.unwrap();
    assert_eq!(guard, Outcome::Refused { guard: 0 });
    // What was answered is on the replica.
    let copy = connect(&format!("{}?durability=unchecked", replica.url())).await;
    for i in 0..100 {
        assert!(copy.get(&part(i.to_string()), &key("x")).await.unwrap().is_some());
    }
}

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

#[tokio::test]
async fn no_secret_is_in_the_files_of_redis() {
    let server = RedisServer::start();
    plant(connect(&server.url()).await).await;
    redis::cmd("SAVE").exec_async(&mut look(&server.url()).await).await.unwrap();
    assert_holds_no_secret(&server.dump());
    let record = connect(&server.url()).await.get(&part("0"), &key("visible-name")).await.unwrap().unwrap();
    assert_eq!(record.expires_at, Some(Timestamp::from_ms(i64::MAX)));
}
