//! A record as one Redis value, so that reading one is one plain `GET`.
//!
//! ```text
//! version (8 bytes, big-endian) ‖ flags (1) ‖ expires_at (8, ms, big-endian) ‖ bytes, or a decimal number
//! ```
//!
//! The script writes the version and a number; the rest comes from here.

use bytes::Bytes;
use coffer_core::Timestamp;

use super::super::{COLLECT_SLACK, Record, Sort, StoreError, Value, Version};

const EXPIRES: u8 = 1;
const COUNTER: u8 = 2;
const VERSION_BYTES: usize = 8;
const HEADER_BYTES: usize = VERSION_BYTES + 9;
/// Longer than this from now, Redis is not told to expire a key: its arithmetic would overflow.
const TTL_MS_MAX: i64 = 1 << 50;

/// What a record holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Bytes,
    Counter,
}

/// What stands between the version of a record and what it holds.
pub(super) fn head(kind: Kind, expires_at: Option<Timestamp>) -> [u8; HEADER_BYTES - VERSION_BYTES] {
    let kind = match kind {
        Kind::Bytes => 0,
        Kind::Counter => COUNTER,
    };
    let mut head = [kind | expires_at.map_or(0, |_| EXPIRES); HEADER_BYTES - VERSION_BYTES];
    head[1..].copy_from_slice(&expires_at.map_or(0, Timestamp::as_ms).to_be_bytes());
    head
}

/// How long Redis keeps the record, in ms; nothing if for good. It is late by [`COLLECT_SLACK`], and relative,
/// so that neither a wrong clock here nor one there removes a live record.
pub(super) fn ttl_ms(expires_at: Option<Timestamp>, now: Timestamp) -> Option<i64> {
    let left = expires_at?.plus(COLLECT_SLACK).as_ms().saturating_sub(now.as_ms());
    (left <= TTL_MS_MAX).then_some(left.max(1))
}

pub(super) fn decode(sort: Sort, stored: Vec<u8>) -> Result<Record, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt { what: format!("a record in Redis has {what}") };
    let (version, rest) = stored.split_first_chunk().ok_or_else(|| corrupt("no version"))?;
    let (flags, rest) = rest.split_first().ok_or_else(|| corrupt("no flags"))?;
    let (expires_at, rest) = rest.split_first_chunk().ok_or_else(|| corrupt("no expiry"))?;
    let version = Version(u64::from_be_bytes(*version));
    let expires_at = (flags & EXPIRES != 0).then(|| Timestamp::from_ms(i64::from_be_bytes(*expires_at)));
    let value = if flags & COUNTER == 0 {
        Value::Bytes(Bytes::from(stored).slice(HEADER_BYTES..))
    } else {
        let number = std::str::from_utf8(rest).ok().and_then(|text| text.parse().ok());
        Value::Counter(number.ok_or_else(|| corrupt("no number"))?)
    };
    Ok(Record { sort, value, version, expires_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_record_is_corrupt() {
        let sort = || Sort::of("a").build();
        for length in 0..HEADER_BYTES {
            assert!(matches!(decode(sort(), vec![0; length]), Err(StoreError::Corrupt { .. })));
        }
        let mut counter = [0; 8].to_vec();
        counter.extend(head(Kind::Counter, None));
        assert!(decode(sort(), counter.clone()).is_err(), "no number");
        counter.extend(b"-12");
        assert_eq!(decode(sort(), counter).unwrap().value, Value::Counter(-12));
    }

    #[test]
    fn redis_keeps_a_record_longer_than_it_lives() {
        let at = Timestamp::from_ms;
        assert_eq!(ttl_ms(None, at(5)), None);
        assert_eq!(ttl_ms(Some(at(15)), at(5)), Some(10 + 300_000));
        assert_eq!(ttl_ms(Some(at(-900_000)), at(5)), Some(1));
        assert_eq!(ttl_ms(Some(at(i64::MAX)), at(5)), None);
    }
}
