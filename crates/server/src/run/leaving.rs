//! What was written and has not left yet, when everything else has stopped.
//!
//! The end of an answer lies in the kernel's buffers when its connection is closed, and a slow reader needs seconds for it.
//! The kernel sends it without us, unless the network goes with the process, as a container's does. So the process stays
//! until it is out, or for a few seconds.
//!
//! Road not taken: asking each connection at its end. One that is closed cannot be asked any more, and the HTTP layer closes
//! them in many places; the kernel's own list names all. Where there is no such list nothing is waited for.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::time::Duration;

/// Longest wait. What a connection's buffers hold at most goes out in it at 3 Mbit/s.
const WITHIN: Duration = Duration::from_secs(10);
/// How often the list is read.
const POLL: Duration = Duration::from_millis(50);
/// The connections of this process's network. A line: number, our address, theirs, state, `waiting to leave:to be read`.
const LISTS: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];
/// The state of a socket that listens, whose queues are of something else.
const LISTENS: &str = "0A";

/// Waits until nothing that was written to connections of these ports is left to be sent.
pub(super) async fn wait(ports: &[u16]) {
    let left = async {
        while !ports.is_empty() && LISTS.iter().any(|list| holds_bytes(list, ports)) {
            tokio::time::sleep(POLL).await;
        }
    };
    if tokio::time::timeout(WITHIN, left).await.is_err() {
        tracing::warn!("stopped before clients had taken all of their answers");
    }
}

/// Whether a connection of these ports has something to send.
fn holds_bytes(list: &str, ports: &[u16]) -> bool {
    let Ok(file) = File::open(list) else { return false };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    lines.filter_map(|line| waiting(&line)).any(|(port, bytes)| bytes > 0 && ports.contains(&port))
}

/// The port on our side of a connection, and how many of its bytes wait.
fn waiting(line: &str) -> Option<(u16, u64)> {
    let mut words = line.split_whitespace().skip(1);
    let (ours, _, state, queues) = (words.next()?, words.next()?, words.next()?, words.next()?);
    if state == LISTENS {
        return None;
    }
    let port = u16::from_str_radix(ours.rsplit_once(':')?.1, 16).ok()?;
    Some((port, u64::from_str_radix(queues.split_once(':')?.0, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::waiting;

    #[test]
    fn a_line_says_what_waits_to_be_sent_and_to_whom() {
        let line =
            "   3: 0100007F:0BB8 0200007F:A3F1 04 00012345:00000007 01:00000014 00000000     0        0 0";
        assert_eq!(waiting(line), Some((3000, 0x12345)));
        let six =
            "   3: 00000000000000000000000001000000:0BB9 00000000000000000000000001000000:1 01 00000002:0 0";
        assert_eq!(waiting(six), Some((3001, 2)));
    }

    #[test]
    fn a_socket_that_listens_and_what_is_no_connection_are_passed_over() {
        assert_eq!(waiting("   0: 0100007F:0BB8 00000000:0000 0A 00000005:00000000 00:00000000"), None);
        assert_eq!(
            waiting("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt"),
            None
        );
        assert_eq!(waiting(""), None);
    }
}
