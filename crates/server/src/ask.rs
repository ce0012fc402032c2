//! One question to a service that runs on this machine, for commands beside it: its health, its development mailbox.
//!
//! A container of ours holds nothing else that could ask. It is a plain GET on loopback, so it needs no HTTP client:
//! that is `coffer-client`, which services' programs would carry for this alone.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::failure::Cause;

/// How long each step of an answer is waited for.
const TIMEOUT: Duration = Duration::from_secs(3);
/// An answer is read no further than this.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// What was answered.
#[derive(Debug)]
pub struct Asked {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// A GET of `path` on the listener at `bind`, reached from this machine.
pub fn ask(bind: SocketAddr, path: &str) -> Result<Asked, Cause> {
    if bind.port() == 0 {
        return Err("`http.internal_bind` has port 0, so nobody knows where to ask".into());
    }
    let address = match bind.ip() {
        IpAddr::V4(v4) if v4.is_unspecified() => SocketAddr::from((Ipv4Addr::LOCALHOST, bind.port())),
        IpAddr::V6(v6) if v6.is_unspecified() => SocketAddr::from((Ipv6Addr::LOCALHOST, bind.port())),
        _ => bind,
    };
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // HTTP/1.0: the answer comes in one piece and ends with the connection.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    parse(&answer).ok_or_else(|| "the service does not answer with HTTP".into())
}

fn parse(answer: &[u8]) -> Option<Asked> {
    let head = answer.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD)?;
    let (head, body) = (&answer[..head], &answer[head + END_OF_HEAD.len()..]);
    let status = head.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    Some(Asked { status: str::from_utf8(status).ok()?.parse().ok()?, body: body.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_status_and_what_follows_the_empty_line() {
        let asked = parse(b"HTTP/1.0 200 OK\r\ncontent-length: 6\r\n\r\na\r\n\r\nb").unwrap();
        assert_eq!((asked.status, asked.body.as_slice()), (200, &b"a\r\n\r\nb"[..]));
        for broken in [&b""[..], b"HTTP/1.0 200 OK\r\n", b"SSH-2.0\r\n\r\n", b"HTTP/1.0 2\r\n\r\n"] {
            assert!(parse(broken).is_none(), "{}", String::from_utf8_lossy(broken));
        }
    }
}
