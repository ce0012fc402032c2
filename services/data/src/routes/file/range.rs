//! `Range` of a request (RFC 9110, section 14.2): one range of bytes. Of several the whole is sent, which is allowed.

use std::ops::Range;

use actix_web::HttpRequest;
use actix_web::http::header;

/// What of a file is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// These bytes of it.
    Of(Range<u64>),
    /// What was asked for lies behind its end.
    Nothing,
}

/// What a request asks for of `size_bytes`.
pub(super) fn of(request: &HttpRequest, size_bytes: u64) -> Part {
    let asked = request.headers().get(header::RANGE).and_then(|range| range.to_str().ok());
    asked.and_then(parse).map_or(Part::Whole, |asked| asked.of(size_bytes))
}

/// As it is asked for.
#[derive(Clone, Copy, Debug)]
enum Asked {
    From { first: u64, last: Option<u64> },
    Last(u64),
}

impl Asked {
    fn of(self, size_bytes: u64) -> Part {
        match self {
            Self::From { first, last } if first < size_bytes => {
                Part::Of(first..last.map_or(size_bytes, |last| size_bytes.min(last.saturating_add(1))))
            }
            Self::Last(bytes) if bytes > 0 && size_bytes > 0 => {
                Part::Of(size_bytes.saturating_sub(bytes)..size_bytes)
            }
            Self::From { .. } | Self::Last(_) => Part::Nothing,
        }
    }
}

/// One range of bytes; nothing if it is anything else, which is as if it had not been asked.
fn parse(header: &str) -> Option<Asked> {
    let (unit, range) = header.split_once('=')?;
    let (first, last) = range.trim().split_once('-').filter(|_| unit.trim().eq_ignore_ascii_case("bytes"))?;
    match (first, last) {
        ("", last) => Some(Asked::Last(number(last)?)),
        (first, "") => Some(Asked::From { first: number(first)?, last: None }),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Asked::From { first, last: Some(last) })
        }
    }
}

/// Digits; a number that is too large for any file is as good as the largest.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn part(header: &'static str, size_bytes: u64) -> Part {
        of(&TestRequest::default().insert_header(("range", header)).to_http_request(), size_bytes)
    }

    #[test]
    fn a_range_has_both_ends_or_one() {
        assert_eq!(part("bytes=0-0", 10), Part::Of(0..1));
        assert_eq!(part("bytes=3-5", 10), Part::Of(3..6));
        assert_eq!(part("Bytes = 3-", 10), Part::Of(3..10));
        assert_eq!(part("bytes=3-99999999999999999999", 10), Part::Of(3..10));
        assert_eq!(part("bytes=-4", 10), Part::Of(6..10));
        assert_eq!(part("bytes=-40", 10), Part::Of(0..10));
    }

    #[test]
    fn what_lies_behind_the_end_is_not_there() {
        for (header, size_bytes) in
            [("bytes=10-", 10), ("bytes=10-20", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-1", 0)]
        {
            assert_eq!(part(header, size_bytes), Part::Nothing, "{header}");
        }
    }

    #[test]
    fn what_is_no_range_or_several_is_as_if_it_had_not_been_asked() {
        for header in [
            "bytes=0-1,3-4",
            "bytes=5-3",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "lines=0-1",
            "bytes",
            "bytes=+1-2",
        ] {
            assert_eq!(part(header, 10), Part::Whole, "{header}");
        }
        assert_eq!(of(&TestRequest::default().to_http_request(), 10), Part::Whole);
    }
}
