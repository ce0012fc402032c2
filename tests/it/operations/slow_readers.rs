//! Readers who ask for much and take little.

use std::time::Duration;

use coffer_tests::{Stack, User, until};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// Twice what the buffers of a connection take in by themselves.
const LARGE_BYTES: usize = 8 << 20;
/// How many large downloads there may be at the same time.
const TURNS: &str = "4";
/// How many of them may be one user's.
const SHARE: usize = 2;
/// Longer than a download waits for its turn, so that turns that come back do not hide a share that is kept.
const GRACE_S: &str = "8";

/// Asks for a large file and reads nothing of it.
async fn stalled(stack: &Stack, user: &User) -> TcpStream {
    let address = stack.data[0].url.trim_start_matches("http://").parse().expect("an address");
    let socket = TcpSocket::new_v4().expect("there are sockets");
    socket.set_recv_buffer_size(64 * 1024).expect("a buffer may be small");
    let mut stream = socket.connect(address).await.expect("the service listens");
    let head = format!("GET /download?file_name=large HTTP/1.1\r\nhost: x\r\nsid: {}\r\n\r\n", user.sid);
    stream.write_all(head.as_bytes()).await.expect("the head is accepted");
    stream
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
        .start()
        .await;
    let (surface, ann, ben) = (stack.surface(), stack.user("ann").await, stack.user("ben").await);
    for user in [&ann, &ben] {
        surface.store(&user.sid, "large", &vec![7; LARGE_BYTES]).await;
    }
    let mut connections = Vec::new();
    for _ in 0..12 {
        connections.push(stalled(&stack, &ann).await);
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
    until("the turns of stalled downloads come back", Duration::from_secs(20), || async {
        surface.download(&ann.sid, "large").await.status == 200
    })
    .await;
}
