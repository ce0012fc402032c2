//! Large values, and readers who take their time.

use std::time::Duration;

use coffer_tests::{Keeper, Stack, until};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

/// More than the buffers of a connection take in by themselves.
const VALUE_BYTES: usize = 12 << 20;
const READERS: usize = 60;
/// The bound on bytes in flight that the gateway has here, and what else it may need: code, buffers of connections, caches.
const BOUND_BYTES: usize = 128 << 20;
const BESIDES_KIB: u64 = 160 << 10;
/// What another user's small request may take, on a machine that is busy with the large ones.
const SMALL_WITHIN: Duration = Duration::from_secs(2);

/// A text that does not get shorter by compressing it.
fn noise(bytes: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + u8::try_from(state % 90).expect("it is small"))
    };
    (0..bytes).map(|_| next()).filter(|c| !matches!(c, '"' | '\\')).collect()
}

/// Asks for something and reads nothing of the answer.
async fn stalled(keeper: &Keeper, path: &str) -> TcpStream {
    let address = keeper.url.trim_start_matches("http://").parse().expect("an address");
    let socket = TcpSocket::new_v4().expect("there are sockets");
    socket.set_recv_buffer_size(64 * 1024).expect("a buffer may be small");
    let mut stream = socket.connect(address).await.expect("the gateway listens");
    let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", keeper.token);
    stream.write_all(head.as_bytes()).await.expect("the head is accepted");
    stream
}

async fn statuses(connections: &[TcpStream]) -> Vec<String> {
    let mut statuses = Vec::new();
    for connection in connections {
        let mut start = [0; 12];
        let seen = timeout(Duration::from_millis(5), connection.peek(&mut start)).await;
        if matches!(seen, Ok(Ok(12))) {
            statuses.push(String::from_utf8_lossy(&start[9..]).into_owned());
        }
    }
    statuses
}

#[tokio::test]
async fn many_slow_readers_of_a_large_value_fill_no_memory_and_keep_nobody_waiting() {
    let stack = Stack::separate()
        .gateways(1)
        .set("COFFER_GATEWAY__HTTP__BODIES_IN_FLIGHT_BYTES_MAX", &BOUND_BYTES.to_string())
        .start()
        .await;
    let (ann, bob) = (stack.keeper("ann").await, stack.keeper("bob").await);
    ann.store("large", json!(noise(VALUE_BYTES))).await.expect_status(200);
    bob.store("small", json!(1)).await.expect_status(200);
    let gateway = &stack.gateways[0].process;
    let before_kib = gateway.memory_kib("VmRSS");
    let mut readers = Vec::new();
    for number in 0..READERS {
        let path = if number % 2 == 0 { "/retrieve/large" } else { "/api/v1/kv/value?key=large" };
        readers.push(stalled(&ann, path).await);
    }
    let (until_then, mut highest_kib) = (Instant::now() + Duration::from_secs(12), 0);
    while Instant::now() < until_then {
        let begun = Instant::now();
        bob.store("small", json!([1, 2])).await.expect_status(200);
        bob.call("GET", "/retrieve/small").await.expect_status(200);
        assert!(begun.elapsed() < SMALL_WITHIN, "{:?} for two small requests", begun.elapsed());
        highest_kib = highest_kib.max(gateway.memory_kib("VmRSS"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let grown_kib = highest_kib.saturating_sub(before_kib);
    let limit_kib = (BOUND_BYTES >> 10) as u64 + BESIDES_KIB;
    assert!(grown_kib < limit_kib, "{grown_kib} KiB more in memory");
    let statuses = statuses(&readers).await;
    assert!(statuses.iter().all(|status| status == "200" || status == "503"), "{statuses:?}");
    assert!(statuses.iter().any(|status| status == "200"), "{statuses:?}");
    // A large value of somebody else's is read meanwhile, for nobody can have all of the room.
    bob.store("large", json!(noise(VALUE_BYTES))).await.expect_status(200);
    bob.call("GET", "/retrieve/large").await.expect_status(200);
    drop(readers);
    until("there is room again", Duration::from_secs(20), || async {
        ann.call("GET", "/retrieve/large").await.status == 200
    })
    .await;
}

#[tokio::test]
async fn a_large_value_arrives_whole_in_every_manner_of_reading() {
    let stack = Stack::all().start().await;
    let ann = stack.keeper("ann").await;
    let value = json!({ "text": noise(3 << 20) });
    let stored = ann.store("large", value.clone()).await.expect_status(200).json();
    assert_eq!(stored["value"], value);
    let read = ann.call("GET", "/retrieve/large").await.expect_status(200).json();
    assert_eq!((&read["value"], &read["size_bytes"]), (&value, &stored["size_bytes"]));
    let native = ann.call("GET", "/api/v1/kv/value?key=large").await.expect_status(200);
    assert_eq!((native.json(), native.header("content-type")), (value.clone(), Some("application/json")));
    let batch = json!({ "operations": [{ "op": "get", "key": "large" }, { "op": "get", "key": "none" }] });
    let results = ann.json("POST", "/api/v1/kv/batch", &batch).await.expect_status(200).json();
    assert_eq!((&results["results"][0]["value"], &results["results"][1]["status"]), (&value, &json!(404)));
    let bytes: Vec<u8> = noise(3 << 20).into_bytes();
    let octets = [("content-type", "application/octet-stream")];
    ann.send("PUT", "/api/v1/kv/value?key=bytes", &octets, Some(bytes.clone())).await.expect_status(200);
    assert!(ann.call("GET", "/api/v1/kv/value?key=bytes").await.expect_status(200).body == bytes);
    let shown = ann.call("GET", "/retrieve/bytes").await.expect_status(200).field("value");
    assert_eq!(shown.len(), bytes.len().div_ceil(3) * 4);
    // The connection is still good for what comes next, and a part of an answer is no more than that.
    let mut given_up = stalled(&ann, "/retrieve/large").await;
    given_up.read_exact(&mut [0; 1000]).await.expect("it begins");
    drop(given_up);
    ann.call("GET", "/retrieve/large").await.expect_status(200);
}
