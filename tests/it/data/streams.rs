//! Long streams: little memory, no end in time, and nothing of one that breaks off.

use std::time::Duration;

use coffer_tests::until;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

/// What a service may have had resident at most.
const RESIDENT_KIB_MAX: u64 = 64 * 1024;
const PLAINTEXT: u64 = 200 << 20;

async fn stack_with_folder() -> (Stack, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let blobs = format!("file://{}", folder.path().join("blobs").display());
    let stack = Stack::separate().gateways(1).set("COFFER_DATA__STORAGE__BLOBS", &blobs).start().await;
    (stack, folder)
}

#[tokio::test]
async fn two_hundred_mebibytes_of_unknown_length_pass_up_and_down_in_little_memory() {
    let (stack, _folder) = stack_with_folder().await;
    let ann = stack.user("ann").await;
    for (way, version) in [(direct(&stack, &ann), 1), (through(&stack, &ann), 2)] {
        let pieces = stream::iter(sealed(version, PLAINTEXT).map(Ok::<_, io::Error>));
        let stored = way.put_file(FileAt::own("large"), version, (None, pieces)).await.unwrap();
        let download = way.get_file(FileAt::own("large"), None, None).await.unwrap();
        assert_eq!(download.length, stored.size_bytes);
        let (mut expected, mut rest) = (sealed(version, PLAINTEXT), Bytes::new());
        let mut received = Box::pin(download.into_stream());
        while let Some(mut piece) = received.try_next().await.unwrap() {
            while !piece.is_empty() {
                if rest.is_empty() {
                    rest = expected.next().expect("no more came than was sent");
                }
                let both = rest.len().min(piece.len());
                assert!(rest.split_to(both) == piece.split_to(both), "what comes is what was sent");
            }
        }
        assert!(rest.is_empty() && expected.next().is_none(), "all of it came");
    }
    for process in [&stack.data[0].process, &stack.gateways[0].process] {
        let (peak, anonymous) = (process.memory_kib("VmHWM"), process.memory_kib("RssAnon"));
        println!("peak {peak} KiB, anonymous now {anonymous} KiB");
        assert!(peak < RESIDENT_KIB_MAX, "{peak} KiB\n{}", process.last_words());
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_leaves_nothing() {
    let (stack, folder) = stack_with_folder().await;
    let (ann, blobs) = (stack.user("ann").await, folder.path().join("blobs"));
    let client = direct(&stack, &ann);
    let bytes = envelope(1, 6 << 20);
    for (url, chunked) in
        [(&stack.data[0].url, true), (&stack.data[0].url, false), (&stack.gateways[0].url, true)]
    {
        let address = url.strip_prefix("http://").expect("the stack has no TLS");
        let mut connection = TcpStream::connect(address).await.unwrap();
        let length = if chunked {
            "Transfer-Encoding: chunked".to_owned()
        } else {
            format!("Content-Length: {}", bytes.len())
        };
        let head = format!(
            "PUT /api/v1/files/cut HTTP/1.1\r\nHost: x\r\nsid: {}\r\ncoffer-file-version: 1\r\n{length}\r\n\r\n",
            ann.sid
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        for piece in bytes[..4 << 20].chunks(64 * 1024) {
            if chunked {
                connection.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await.unwrap();
            }
            connection.write_all(piece).await.unwrap();
            if chunked {
                connection.write_all(b"\r\n").await.unwrap();
            }
        }
        until("parts are written", Duration::from_secs(10), || async { blobs_in(&blobs) == 1 }).await;
        assert!(client.head_file(FileAt::own("cut"), None).await.is_err(), "nothing is seen before its end");
        drop(connection);
        until("nothing is left", Duration::from_secs(10), || async { blobs_in(&blobs) == 0 }).await;
        assert!(client.head_file(FileAt::own("cut"), None).await.is_err());
    }
}

#[tokio::test]
async fn an_upload_takes_longer_than_other_bodies_may_as_long_as_it_moves() {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let stack = Stack::separate()
        .gateways(1)
        .set("COFFER_DATA__STORAGE__BLOBS", &format!("file://{}", folder.path().join("blobs").display()))
        .set("COFFER_DATA__HTTP__BODY_DEADLINE_S", "2")
        .set("COFFER_GATEWAY__HTTP__BODY_DEADLINE_S", "2")
        .set("COFFER_DATA__FILES__COLLECT_AFTER_S", "3")
        .set("COFFER_DATA__FILES__COLLECT_INTERVAL_S", "1")
        .start()
        .await;
    let ann = stack.user("ann").await;
    let bytes = envelope(1, 1 << 20);
    for (way, name) in [(direct(&stack, &ann), "direct"), (through(&stack, &ann), "through")] {
        let pieces: Vec<_> = bytes.chunks(bytes.len() / 16).map(Bytes::copy_from_slice).collect();
        let slow = stream::iter(pieces.into_iter().map(Ok::<_, io::Error>)).and_then(async |piece| {
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok(piece)
        });
        way.put_file(FileAt::own(name), 1, (None, slow)).await.unwrap();
        assert!(get(&way, name, None).await.unwrap().1 == bytes);
    }
    // One that does not move is refused.
    let mut connection = TcpStream::connect(stack.data[0].url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "PUT /api/v1/files/idle HTTP/1.1\r\nHost: x\r\nsid: {}\r\ncoffer-file-version: 1\r\nContent-Length: 900000\r\n\r\n",
        ann.sid
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&bytes[..200_000]).await.unwrap();
    let mut answer = Vec::new();
    let read = connection.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_secs(20), read).await.expect("it is not waited for").unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    let blobs = folder.path().join("blobs");
    until("nothing is left of it", Duration::from_secs(10), || async { blobs_in(&blobs) == 2 }).await;
}
