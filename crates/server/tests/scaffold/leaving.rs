//! A stop does not cut off what a slow client is still taking.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use coffer_server::settings::HttpSettings;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{LONG_BYTES, run, settings};

/// What a client's own buffers may hold that he has not read: much less than the answer.
const RECEIVE_BYTES: u32 = 64 * 1024;
const PIECE_BYTES: usize = 32 * 1024;
/// About 1.5 MB/s.
const PAUSE: Duration = Duration::from_millis(20);

async fn ask_for_much(address: std::net::SocketAddr, connection: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(RECEIVE_BYTES).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let request = format!("GET /api/v1/long HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Reads slowly to the end, and counts.
async fn read_slowly(mut stream: TcpStream, count: Arc<AtomicUsize>) {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match stream.read(&mut piece).await.unwrap() {
            0 => return,
            read => count.fetch_add(read, Ordering::SeqCst),
        };
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whoever ends the process when the stop is over ends, in a container, the network with it.
#[tokio::test]
async fn a_stop_is_over_when_a_slow_reader_has_all_of_his_answer() {
    for connection in ["keep-alive", "close"] {
        let running = run(&settings()).await;
        let stream = ask_for_much(running.services()[0].public, connection).await;
        let count = Arc::new(AtomicUsize::new(0));
        let reader = tokio::spawn(read_slowly(stream, Arc::clone(&count)));
        tokio::time::sleep(Duration::from_millis(300)).await;
        let before = count.load(Ordering::SeqCst);
        assert!(before < LONG_BYTES / 2, "{connection}: the reader is not slow: {before}");
        tokio::time::timeout(Duration::from_secs(15), running.stop()).await.unwrap();
        let taken = count.load(Ordering::SeqCst);
        let in_his_buffers = 4 * RECEIVE_BYTES as usize;
        assert!(
            taken + in_his_buffers >= LONG_BYTES,
            "{connection}: {taken} of {LONG_BYTES} when it was over"
        );
        reader.await.unwrap();
        assert!(count.load(Ordering::SeqCst) > LONG_BYTES, "{connection}: the head and all of the body");
    }
}

#[tokio::test]
async fn a_client_who_takes_nothing_does_not_hold_up_the_stop_for_ever() {
    let running = run(&HttpSettings { shutdown_timeout_s: 1, ..settings() }).await;
    let stream = ask_for_much(running.services()[0].public, "close").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    tokio::time::timeout(Duration::from_secs(20), running.stop()).await.unwrap();
    drop(stream);
}
