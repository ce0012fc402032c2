use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::{advance, sleep, timeout};

use super::*;

const LIMITS: Patience =
    Patience { head: Duration::from_secs(5), grace: Duration::from_secs(30), bytes_per_s_min: 1000 };
/// What is in the network while nobody reads.
const BUFFER_BYTES: usize = 1000;

fn connection() -> (Patient<DuplexStream>, DuplexStream) {
    let (ours, client) = duplex(BUFFER_BYTES);
    (Patient::new(ours, LIMITS), client)
}

fn timed_out<T: std::fmt::Debug>(outcome: io::Result<T>) {
    assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_has_begun_must_end_in_time_and_idling_may_take_any() {
    let (mut stream, mut client) = connection();
    let mut buffer = [0; 64];
    for _ in 0..3 {
        client.write_all(b"GET / HT").await.unwrap();
        assert_eq!(stream.read(&mut buffer).await.unwrap(), 8);
        advance(Duration::from_secs(4)).await;
        // An answer ends the wait: the head was whole.
        stream.write_all(b"200").await.unwrap();
        client.read_exact(&mut buffer[..3]).await.unwrap();
        assert!(timeout(Duration::from_hours(1), stream.read(&mut buffer)).await.is_err());
    }
    client.write_all(b"G").await.unwrap();
    assert_eq!(stream.read(&mut buffer).await.unwrap(), 1);
    let begun = Instant::now();
    // A byte now and then is not enough.
    let slowly = async {
        loop {
            sleep(Duration::from_secs(2)).await;
            client.write_all(b"E").await.unwrap();
        }
    };
    let failed = async {
        loop {
            if let Err(error) = stream.read(&mut buffer).await {
                return error.kind();
            }
        }
    };
    tokio::select! {
        () = slowly => unreachable!("it goes on for ever"),
        kind = failed => assert_eq!(kind, io::ErrorKind::TimedOut),
    }
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn who_connects_and_says_nothing_is_not_waited_for() {
    let (mut stream, _client) = connection();
    let begun = Instant::now();
    timed_out(stream.read(&mut [0; 64]).await);
    assert_eq!(begun.elapsed(), LIMITS.head);
}

#[tokio::test(start_paused = true)]
async fn what_has_arrived_is_read_however_late() {
    let (mut stream, mut client) = connection();
    client.write_all(b"GET / HTTP/1.1").await.unwrap();
    advance(2 * LIMITS.head).await;
    assert_eq!(stream.read(&mut [0; 64]).await.unwrap(), 14);
}

#[tokio::test(start_paused = true)]
async fn what_arrives_while_a_request_is_served_is_no_head() {
    let (mut stream, mut client) = connection();
    let mut buffer = [0; 64];
    let presence = stream.presence();
    let serving = presence.serve();
    client.write_all(b"part of a body").await.unwrap();
    assert!(stream.read(&mut buffer).await.is_ok());
    assert!(timeout(Duration::from_hours(1), stream.read(&mut buffer)).await.is_err());
    drop(serving);
    client.write_all(b"after the answer").await.unwrap();
    assert!(stream.read(&mut buffer).await.is_ok());
    timed_out(stream.read(&mut buffer).await);
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_is_cut_off_however_much_he_took_before() {
    let (mut stream, mut client) = connection();
    let _serving = stream.presence().serve();
    let stall = Duration::from_millis(SEND_BUFFER_BYTES_MAX * 1000 / u64::from(LIMITS.bytes_per_s_min));
    let bytes = 2 * usize::try_from(SEND_BUFFER_BYTES_MAX).unwrap();
    let taken = async {
        client.read_exact(&mut vec![0; bytes]).await.unwrap();
        std::future::pending::<()>().await;
    };
    let written = async {
        stream.write_all(&vec![0; bytes]).await.unwrap();
        let begun = Instant::now();
        timed_out(stream.write_all(&[0; 2 * BUFFER_BYTES]).await);
        begun.elapsed()
    };
    tokio::select! {
        () = taken => unreachable!("the client stays"),
        waited = written => assert_eq!(waited.as_secs(), (LIMITS.grace + stall).as_secs()),
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_network_has_swallowed_at_once_is_the_readers_credit() {
    let (ours, _client) = duplex(100 * BUFFER_BYTES);
    let mut stream = Patient::new(ours, LIMITS);
    let _serving = stream.presence().serve();
    let begun = Instant::now();
    timed_out(stream.write_all(&vec![0; 200 * BUFFER_BYTES]).await);
    assert_eq!(begun.elapsed().as_secs(), 30 + 100);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_while_an_answer_is_on_its_way_and_then_it_is() {
    let (mut stream, mut client) = connection();
    let mut serving = stream.presence().serve();
    let mut buffer = [0; 64];
    client.write_all(b"a part of its body").await.unwrap();
    assert_eq!(stream.read(&mut buffer).await.unwrap(), 18);
    serving.answer();
    client.write_all(b"sent ahead").await.unwrap();
    assert!(timeout(Duration::from_hours(1), stream.read(&mut buffer)).await.is_err());
    let over = async {
        sleep(Duration::from_secs(1)).await;
        drop(serving);
    };
    let (read, ()) = tokio::join!(timeout(Duration::from_secs(2), stream.read(&mut buffer)), over);
    assert_eq!(read.expect("whoever wants to read is woken").unwrap(), 10);

    // Nor while what was written is not taken.
    let mut ahead = write_ahead(&mut stream, 2 * BUFFER_BYTES).await;
    client.write_all(b"more").await.unwrap();
    assert!(timeout(Duration::from_secs(1), stream.read(&mut buffer)).await.is_err());
    client.read_exact(&mut vec![0; BUFFER_BYTES]).await.unwrap();
    ahead -= stream.write(&vec![0; ahead]).await.unwrap();
    assert!(ahead < 2 * BUFFER_BYTES);
    assert_eq!(stream.read(&mut buffer).await.unwrap(), 4);
}

/// Writes until nothing more is taken; how much is left.
async fn write_ahead(stream: &mut Patient<DuplexStream>, mut bytes: usize) -> usize {
    while let Ok(written) = timeout(Duration::ZERO, stream.write(&vec![0; bytes])).await {
        bytes -= written.unwrap();
    }
    bytes
}

#[tokio::test]
async fn who_is_asked_without_a_pause_is_asked_no_more() {
    let (mut stream, _client) = connection();
    let outcome = std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        Pin::new(&mut stream).poll_write(cx, &[0; 2 * BUFFER_BYTES]).map_ok(drop).map(|outcome| match outcome
        {
            Ok(()) => None,
            Err(error) => Some(error.kind()),
        })
    });
    let mut last = outcome.await;
    while last.is_none() {
        last = std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Pin::new(&mut stream).poll_write(cx, &[0]).map(|outcome| outcome.err().map(|error| error.kind()))
        })
        .await;
    }
    assert_eq!(last, Some(io::ErrorKind::TimedOut));
}

/// For how many seconds one answer is sent to a reader who takes `bytes_per_s`, `None` if it goes on.
async fn sent_for(bytes_per_s: usize) -> Option<u64> {
    let (mut stream, mut client) = connection();
    let _serving = stream.presence().serve();
    let begun = Instant::now();
    let taken = async {
        let mut piece = vec![0; bytes_per_s];
        loop {
            sleep(Duration::from_secs(1)).await;
            client.read_exact(&mut piece).await.unwrap();
        }
    };
    let sent = async {
        while stream.write_all(&[0; 100]).await.is_ok() {}
        begun.elapsed().as_secs()
    };
    tokio::select! {
        () = taken => unreachable!("it goes on for ever"),
        seconds = sent => Some(seconds),
        () = sleep(Duration::from_mins(10)) => None,
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_keeps_to_the_rate_is_never_cut_off_and_whoever_does_not_is_in_the_end() {
    assert_eq!(sent_for(LIMITS.bytes_per_s_min as usize).await, None);
    let seconds = sent_for(LIMITS.bytes_per_s_min as usize / 2).await.unwrap();
    assert!((58..=64).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_with_long_silences_costs_its_reader_nothing() {
    let (mut stream, mut client) = connection();
    let _serving = stream.presence().serve();
    for _ in 0..100 {
        advance(Duration::from_mins(1)).await;
        let taken = async {
            sleep(Duration::from_secs(1)).await;
            client.read_exact(&mut [0; 2 * BUFFER_BYTES]).await.unwrap();
        };
        let (written, ()) = tokio::join!(stream.write_all(&[0; 2 * BUFFER_BYTES]), taken);
        written.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn every_answer_has_a_grace_of_its_own() {
    let (mut stream, mut client) = connection();
    let presence = stream.presence();
    for _ in 0..5 {
        let _serving = presence.serve();
        let taken = async {
            sleep(Duration::from_secs(25)).await;
            client.read_exact(&mut [0; BUFFER_BYTES + 1]).await.unwrap();
        };
        let (written, ()) = tokio::join!(stream.write_all(&[0; BUFFER_BYTES + 1]), taken);
        written.unwrap();
    }
}
