//! The two names that a request keeps on its way through the services: our request id and the W3C
//! `traceparent`.
//!
//! They are diagnostics: they appear in logs and headers and decide nothing. That is why they alone may
//! be ambient. The server installs them around every poll of a request ([`TraceContext::enter`]), and the
//! client and the logs read them ([`TraceContext::current`]), so no domain function carries them about.
//! Work moved to another task or thread loses them unless it enters them itself.

use std::cell::Cell;
use std::fmt;

/// Longest request id that is taken from a caller.
pub const REQUEST_ID_BYTES_MAX: usize = 64;
const TRACEPARENT_BYTES: usize = 55;

/// Names one request in logs. Printable by construction, so that it cannot forge a log line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    text: [u8; REQUEST_ID_BYTES_MAX],
    length: u8,
}

impl RequestId {
    /// The id with this text: 1 to 64 letters, digits, `-`, `_` or `.`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let valid = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
        if text.is_empty() || text.len() > REQUEST_ID_BYTES_MAX || !text.iter().all(valid) {
            return None;
        }
        let mut bytes = [0; REQUEST_ID_BYTES_MAX];
        bytes[..text.len()].copy_from_slice(text);
        Some(Self { text: bytes, length: u8::try_from(text.len()).ok()? })
    }

    /// A new id of 128 bits that nobody else draws. Unique, and no secret; but it must not be a count, which would tell
    /// each who is answered how many others were.
    pub fn make(high: u64, low: u64) -> Self {
        let mut bytes = [0; REQUEST_ID_BYTES_MAX];
        let number = (u128::from(high) << 64) | u128::from(low);
        // Twice the bytes as digits always fit: 32 of 64.
        if hex::encode_to_slice(number.to_be_bytes(), &mut bytes[..32]).is_err() {
            bytes[..32].fill(b'0');
        }
        Self { text: bytes, length: 32 }
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A `traceparent` header, version 00 (W3C Trace Context, section 3.2), passed on as it came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Traceparent([u8; TRACEPARENT_BYTES]);

impl Traceparent {
    /// The header with this text, if it is well formed and neither of its ids is all zero.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let bytes: [u8; TRACEPARENT_BYTES] = text.try_into().ok()?;
        let hex = |range: std::ops::Range<usize>| {
            bytes[range].iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b))
        };
        let zero = |range: std::ops::Range<usize>| bytes[range].iter().all(|b| *b == b'0');
        let shape = bytes.starts_with(b"00-") && bytes[35] == b'-' && bytes[52] == b'-';
        let ids = hex(3..35) && !zero(3..35) && hex(36..52) && !zero(36..52) && hex(53..55);
        (shape && ids).then_some(Self(bytes))
    }

    /// The header's text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The id of the whole trace, 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        self.as_str().get(3..35).unwrap_or_default()
    }
}

impl fmt::Debug for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

thread_local! {
    static CURRENT: Cell<Option<TraceContext>> = const { Cell::new(None) };
}

/// The names of the request that is being served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// Our own name for it.
    pub request_id: RequestId,
    /// The trace it belongs to, when the caller said so.
    pub traceparent: Option<Traceparent>,
}

impl TraceContext {
    /// Runs `work` with these names as the current ones. Meant for one poll of a future: nothing may
    /// wait inside.
    pub fn enter<R>(self, work: impl FnOnce() -> R) -> R {
        struct Restore(Option<TraceContext>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0);
            }
        }
        let _restore = Restore(CURRENT.replace(Some(self)));
        work()
    }

    /// The names of the request that this code runs for, if it runs for one.
    pub fn current() -> Option<Self> {
        CURRENT.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_request_id_cannot_forge_a_log_line() {
        assert!(RequestId::parse(b"a\nb").is_none());
        assert!(RequestId::parse(b"").is_none());
        assert!(RequestId::parse(&[b'a'; 65]).is_none());
        assert_eq!(RequestId::parse(b"abc-1_2.3").unwrap().as_str(), "abc-1_2.3");
    }

    #[test]
    fn made_ids_differ_by_their_count() {
        assert_eq!(RequestId::make(1, 2).as_str(), "00000000000000010000000000000002");
        assert_ne!(RequestId::make(1, 2), RequestId::make(1, 3));
    }

    #[test]
    fn only_a_well_formed_traceparent_is_passed_on() {
        assert_eq!(Traceparent::parse(SAMPLE).unwrap().trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(Traceparent::parse(&SAMPLE[1..]).is_none());
        assert!(Traceparent::parse(&SAMPLE.to_ascii_uppercase()).is_none());
        assert!(Traceparent::parse(&[b'0'; 55]).is_none());
    }

    #[test]
    fn the_current_names_end_with_the_work_they_were_entered_for() {
        let outer = TraceContext { request_id: RequestId::make(1, 1), traceparent: None };
        let inner = TraceContext { request_id: RequestId::make(1, 2), traceparent: None };
        assert_eq!(TraceContext::current(), None);
        outer.enter(|| {
            inner.enter(|| assert_eq!(TraceContext::current(), Some(inner)));
            assert_eq!(TraceContext::current(), Some(outer));
        });
        assert_eq!(TraceContext::current(), None);
    }
}
