//! Watchers who read nothing: they cost neither writers nor the gateway's memory.

use std::time::Duration;

use coffer_tests::{Keeper, Stack, until};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

use super::both;

const WATCHERS: usize = 8;
/// Each tells of so many keys, so what each watcher would have to take is far more than the kernel takes in for him.
const BATCHES: usize = 80;
const BATCH_KEYS: usize = 100;
const KEY_BYTES: usize = 1000;
/// What may be held for all of them, and for what is remembered of keys and of operations in any case. Changes that
/// were kept for each watcher would take twice as much.
const GROWTH_KIB_MAX: u64 = 40 * 1024;
/// One write on a busy machine. A writer that waits for readers waits for 30 s.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

/// Two comments of the gateway, which tell it that a reader is gone.
const FREE_WITHIN: Duration = Duration::from_secs(15);

/// Watches everything and reads nothing.
async fn stalled(keeper: &Keeper) -> TcpStream {
    let host = keeper.url.trim_start_matches("http://");
    let socket = TcpSocket::new_v4().expect("there are sockets");
    socket.set_recv_buffer_size(4 * 1024).expect("a buffer may be small");
    let mut stream = socket.connect(host.parse().expect("an address")).await.expect("the gateway listens");
    let head = format!(
        "GET /api/v1/kv/watch HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\n\r\n",
        keeper.token
    );
    stream.write_all(head.as_bytes()).await.expect("the head is accepted");
    let mut start = [0; 12];
    timeout(WRITE_WITHIN, stream.read_exact(&mut start)).await.expect("it begins").expect("it answers");
    assert_eq!(start, *b"HTTP/1.1 200");
    stream
}

/// Stores keys, many at once, each write in time.
async fn write(keeper: &Keeper, batches: usize) {
    for n in 0..batches {
        let put =
            |m: usize| json!({ "op": "put", "key": format!("{m}/{}", "k".repeat(KEY_BYTES)), "value": n });
        let operations: Vec<_> = (0..BATCH_KEYS).map(put).collect();
        let body = json!({ "atomic": true, "operations": operations });
        let asked = Instant::now();
        keeper.json("POST", "/api/v1/kv/batch", &body).await.expect_status(200);
        assert!(asked.elapsed() < WRITE_WITHIN, "{:?}", asked.elapsed());
    }
}

#[tokio::test]
async fn who_reads_nothing_neither_blocks_writers_nor_grows_the_gateway() {
    for stack in both().await {
        let ann = stack.keeper("ann").await;
        let gateway = &stack.gateways[0].process;
        // What the writes themselves leave in memory.
        write(&ann, BATCHES / 4).await;
        let before = gateway.memory_kib("RssAnon");
        let mut watchers = Vec::new();
        for _ in 0..WATCHERS {
            watchers.push(stalled(&ann).await);
        }
        let mut reader = ann.watch("", &[]).await.expect("who reads is served beside them");
        reader.next().await.expect("it begins with a position");
        let told = tokio::spawn(async move { reader.changes(BATCHES * BATCH_KEYS).await.len() });
        write(&ann, BATCHES).await;
        assert_eq!(told.await.expect("the reader goes on"), BATCHES * BATCH_KEYS);
        let grown = gateway.memory_kib("RssAnon").saturating_sub(before);
        assert!(grown < GROWTH_KIB_MAX, "{grown} KiB more for {WATCHERS} who read nothing");
        drop(watchers);
    }
}

#[tokio::test]
async fn who_reads_nothing_takes_places_of_his_own_only_until_he_goes() {
    let stack = Stack::all().set("COFFER_GATEWAY__LIMITS__WATCHERS_PER_USER_MAX", "2").start().await;
    let (ann, bob) = (stack.keeper("ann").await, stack.keeper("bob").await);
    let watchers = [stalled(&ann).await, stalled(&ann).await];
    // More than any buffer takes in.
    write(&ann, BATCHES).await;
    let crowded = ann.watch("", &[]).await.expect_err("there is no third place");
    assert_eq!((crowded.status, crowded.header("retry-after").is_some()), (429, true), "{crowded}");
    let mut watch = bob.watch("", &[]).await.expect("others have places of their own");
    bob.store("a", json!(1)).await.expect_status(200);
    assert_eq!(watch.changes(1).await, [("a".to_owned(), "put".to_owned())]);
    drop(watchers);
    until("his places are free again", FREE_WITHIN, || async { ann.watch("", &[]).await.is_ok() }).await;
}
