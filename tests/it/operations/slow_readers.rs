//! Clients who let us wait: readers who take little, and heads that do not end.

use std::time::Duration;

use coffer_tests::{Http, Stack, User, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

/// Twice what the buffers of a connection take in by themselves.
const LARGE_BYTES: usize = 8 << 20;
/// Nearly as much as a configuration may hold.
const CONFIG_BYTES: usize = 240 << 10;
/// How many large downloads there may be at the same time.
const TURNS: &str = "4";
/// How many of them may be one user's.
const SHARE: usize = 2;
/// Longer than a download waits for its turn, so that turns that come back do not hide a share that is kept.
const GRACE_S: &str = "8";
/// What the network has swallowed is his credit: this little of it that it is used up soon.
const RATE: &str = "4000000";

/// Asks for something and reads nothing of the answer.
async fn stalled(url: &str, path: &str, header: &str) -> TcpStream {
    let address = url.trim_start_matches("http://").parse().expect("an address");
    let socket = TcpSocket::new_v4().expect("there are sockets");
    socket.set_recv_buffer_size(64 * 1024).expect("a buffer may be small");
    let mut stream = socket.connect(address).await.expect("the service listens");
    let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\n{header}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("the head is accepted");
    stream
}

/// Asks for a large file and reads nothing of it.
async fn stalled_download(stack: &Stack, user: &User) -> TcpStream {
    stalled(&stack.data[0].url, "/download?file_name=large", &format!("sid: {}", user.sid)).await
}

/// How many of these are being answered with the file. What is looked at stays unread.
async fn answered(connections: &[TcpStream]) -> usize {
    let mut answered = 0;
    for connection in connections {
        let mut start = [0; 12];
        let seen = timeout(Duration::from_millis(5), connection.peek(&mut start)).await;
        answered += usize::from(seen.is_ok() && start == *b"HTTP/1.1 200");
    }
    answered
}

#[tokio::test]
async fn who_reads_nothing_takes_no_turn_from_others_and_his_own_come_back() {
    let stack = Stack::all()
        .set("COFFER_DATA__LIMITS__LARGE_DOWNLOADS_MAX", TURNS)
        .set("COFFER_DATA__LIMITS__LARGE_DOWNLOADS_PER_USER_MAX", &SHARE.to_string())
        .set("COFFER_DATA__HTTP__ANSWER_GRACE_S", GRACE_S)
        .set("COFFER_DATA__HTTP__ANSWER_BYTES_PER_S_MIN", RATE)
        .start()
        .await;
    let (surface, ann, ben) = (stack.surface(), stack.user("ann").await, stack.user("ben").await);
    for user in [&ann, &ben] {
        surface.store(&user.sid, "large", &vec![7; LARGE_BYTES]).await;
    }
    let mut connections = Vec::new();
    for _ in 0..12 {
        connections.push(stalled_download(&stack, &ann).await);
    }
    until("the downloads of the share are on their way", Duration::from_secs(5), || async {
        answered(&connections).await >= SHARE
    })
    .await;
    let (of_ann, of_ben) =
        tokio::join!(surface.download(&ann.sid, "large"), surface.download(&ben.sid, "large"));
    assert_eq!(of_ben.expect_status(200).data().len(), LARGE_BYTES);
    let refused = of_ann.expect_status(503);
    assert!(refused.header("retry-after").is_some(), "{refused}");
    assert_eq!(answered(&connections).await, SHARE, "nobody else of ann's had a turn");
    until("the turns of stalled downloads come back", Duration::from_secs(30), || async {
        surface.download(&ann.sid, "large").await.status == 200
    })
    .await;
}

#[tokio::test]
async fn an_export_that_nobody_reads_gives_its_share_of_the_memory_back() {
    let stack = Stack::all()
        .set("COFFER_GATEWAY__HTTP__BODIES_IN_FLIGHT_BYTES_MAX", &(2 * LARGE_BYTES).to_string())
        .set("COFFER_GATEWAY__HTTP__ANSWER_GRACE_S", GRACE_S)
        .set("COFFER_GATEWAY__HTTP__ANSWER_BYTES_PER_S_MIN", RATE)
        .start()
        .await;
    let (url, http, key) = (stack.gateway_url(""), Http::default(), ("x-user-key", "a user key of the test"));
    let value = format!("\"{}\"", "x".repeat(CONFIG_BYTES)).into_bytes();
    for n in 0..LARGE_BYTES / CONFIG_BYTES {
        let url = format!("{url}/api/v1/configs/value?key=large-{n}");
        http.send_raw("PUT", &url, &[key], Some(value.clone())).await.expect_status(200);
    }
    let export = "/api/v1/configs/export";
    let header = format!("{}: {}", key.0, key.1);
    let (one, other) = tokio::join!(stalled(&url, export, &header), stalled(&url, export, &header));
    let stalled = [one, other];
    until("both are on their way", Duration::from_secs(5), || async { answered(&stalled).await == 2 }).await;
    let url = format!("{url}{export}");
    let ask = || async { http.send_raw("GET", &url, &[key], None).await };
    assert_eq!(ask().await.status, 503, "the memory is taken");
    until("it comes back", Duration::from_secs(30), || async { ask().await.status == 200 }).await;
}

#[tokio::test]
async fn a_kept_connection_does_not_wait_for_the_rest_of_a_head_for_ever() {
    let stack = Stack::all().start().await;
    for url in [&stack.kms[0].url, &stack.data[0].url, &stack.gateway_url("")] {
        let address = url.trim_start_matches("http://");
        let mut connection = TcpStream::connect(address).await.expect("the service listens");
        let head = b"GET /nowhere HTTP/1.1\r\nhost: x\r\n";
        connection.write_all(&[head.as_slice(), b"\r\n"].concat()).await.expect("it is accepted");
        let mut answer = [0; 4096];
        let read = connection.read(&mut answer).await.expect("an answer");
        assert!(answer[..read].starts_with(b"HTTP/1.1 404"), "{url}");
        connection.write_all(head).await.expect("it is accepted");
        let begun = Instant::now();
        let end = timeout(Duration::from_secs(20), connection.read(&mut answer)).await;
        assert!(matches!(end, Ok(Ok(0) | Err(_))), "{url}: {end:?}");
        assert!(begun.elapsed() > Duration::from_secs(4), "{url}: a head has some time");
    }
}

#[tokio::test]
async fn who_asks_again_and_again_and_reads_nothing_fills_no_memory() {
    let stack = Stack::separate().start().await;
    let kms = &stack.kms[0];
    let socket = TcpSocket::new_v4().expect("there are sockets");
    socket.set_recv_buffer_size(4096).expect("a buffer may be small");
    let address = kms.url.trim_start_matches("http://").parse().expect("an address");
    let mut connection = socket.connect(address).await.expect("the service listens");
    let before_kib = kms.process.memory_kib("VmRSS");
    // Answered without a session, and without a body.
    let many = b"GET /docs HTTP/1.1\r\nhost: x\r\n\r\n".repeat(10_000);
    let mut sent = 0;
    while sent < 100 << 20 {
        match timeout(Duration::from_secs(3), connection.write(&many)).await {
            Ok(Ok(written)) => sent += written,
            // It waits, or has ended the connection.
            Ok(Err(_)) | Err(_) => break,
        }
    }
    assert!(sent < 100 << 20, "the service takes {sent} bytes of requests from who reads no answer");
    let grown_kib = kms.process.memory_kib("VmRSS").saturating_sub(before_kib);
    assert!(grown_kib < 16 * 1024, "{grown_kib} KiB after {sent} bytes");
    stack.ready().await;
}

#[tokio::test]
async fn what_is_sent_ahead_of_a_stream_neither_ends_it_nor_keeps_a_thread_busy() {
    let stack = Stack::separate().gateways(1).start().await;
    let address = stack.gateways[0].url.trim_start_matches("http://").to_owned();
    let mut watch = TcpStream::connect(&address).await.expect("the gateway listens");
    let head = b"GET /api/v1/configs/watch HTTP/1.1\r\nhost: x\r\nx-user-key: a user key of the test\r\n\r\n";
    watch.write_all(head).await.expect("it is accepted");
    let mut answer = [0; 4096];
    let read = watch.read(&mut answer).await.expect("an answer");
    assert!(answer[..read].starts_with(b"HTTP/1.1 200"));
    watch.write_all(b"GET /nowhere HTTP/1.1\r\nhost: x\r\n").await.expect("it is accepted");
    let until = Instant::now() + Duration::from_secs(12);
    while Instant::now() < until {
        let beat = timeout(Duration::from_secs(8), watch.read(&mut answer)).await.expect("a heartbeat");
        assert!(beat.expect("it goes on") > 0, "what was sent ahead has ended the stream");
    }
    // So much ahead that the HTTP layer looks at it without a pause: then the connection is ended.
    let mut greedy = TcpStream::connect(&address).await.expect("the gateway listens");
    let ahead = b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n".repeat(20_000);
    let all = [head.as_slice(), &ahead].concat();
    let _ = timeout(Duration::from_secs(3), greedy.write_all(&all)).await;
    let begun = stack.gateways[0].process.cpu_s();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let busy_s = stack.gateways[0].process.cpu_s() - begun;
    assert!(busy_s < 1.0, "{busy_s} s of processor time in 4 s");
    stack.ready().await;
}
