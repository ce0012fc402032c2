//! When a grant or a key ends: `30m`, `12h`, `7d`, `2w`, a date or a moment.

use std::time::Duration;

use coffer_core::Timestamp;

/// The longest time that `--expires` takes: ten years. Who means for ever leaves it out.
const EXPIRY_DAYS_MAX: u64 = 3650;

/// Why a text is not an expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExpiryError {
    #[error("expected a time such as 30m, 12h, 7d or 2w, a date such as 2026-12-31, or 2026-12-31T18:00:00Z")]
    Form,
    #[error("the expiry is not in the future")]
    Past,
    #[error("the expiry is more than {EXPIRY_DAYS_MAX} days away; leave it out if there is to be no end")]
    Far,
}

/// The moment that `text` means at `now`. A plain date is good until that day ends in UTC.
pub(crate) fn parse(text: &str, now: Timestamp) -> Result<Timestamp, ExpiryError> {
    let text = text.trim();
    let moment = match text.parse::<jiff::civil::Date>() {
        Ok(date) if !text.contains([':', 'T', 't', ' ']) => end_of_day(date)?,
        _ => match text.parse::<jiff::Timestamp>() {
            Ok(moment) => Timestamp::from_ms(moment.as_millisecond()),
            Err(_) => now.plus(span(text)?),
        },
    };
    if moment <= now {
        return Err(ExpiryError::Past);
    }
    if moment.since(now) > Duration::from_secs(EXPIRY_DAYS_MAX * 86_400) {
        return Err(ExpiryError::Far);
    }
    Ok(moment)
}

fn end_of_day(date: jiff::civil::Date) -> Result<Timestamp, ExpiryError> {
    let midnight = date
        .tomorrow()
        .and_then(|day| jiff::tz::TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)))
        .map_err(|_| ExpiryError::Far)?;
    Ok(Timestamp::from_ms(midnight.as_millisecond()))
}

fn span(text: &str) -> Result<Duration, ExpiryError> {
    let unit = text.chars().last().ok_or(ExpiryError::Form)?;
    let seconds_each = match unit {
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return Err(ExpiryError::Form),
    };
    let digits = &text[..text.len() - unit.len_utf8()];
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ExpiryError::Form);
    }
    let count: u64 = digits.parse().map_err(|_| ExpiryError::Far)?;
    count.checked_mul(seconds_each).map(Duration::from_secs).ok_or(ExpiryError::Far)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2023-11-14T22:13:20Z.
    const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    #[test]
    fn spans_count_from_now() {
        for (text, seconds) in [("30m", 1800), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600)] {
            assert_eq!(parse(text, NOW), Ok(NOW.plus(Duration::from_secs(seconds))), "{text}");
        }
    }

    #[test]
    fn a_date_is_good_until_that_day_ends_in_utc() {
        assert_eq!(parse("2023-11-14", NOW).unwrap().to_string(), "2023-11-15T00:00:00.000Z");
    }

    #[test]
    fn a_moment_may_be_in_any_zone() {
        let moment = parse("2023-12-31T18:00:00+02:00", NOW).unwrap();
        assert_eq!(moment.to_string(), "2023-12-31T16:00:00.000Z");
    }

    #[test]
    fn the_past_and_the_present_are_refused() {
        for text in ["2023-11-13", "2023-11-14T22:13:20Z", "0d"] {
            assert_eq!(parse(text, NOW), Err(ExpiryError::Past), "{text}");
        }
    }

    #[test]
    fn what_is_too_far_away_is_refused_and_does_not_overflow() {
        for text in ["99999d", "99999999999999999999d", "18446744073709551615w", "9999-12-31"] {
            assert_eq!(parse(text, NOW), Err(ExpiryError::Far), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "d", "7", "7 d", "-7d", "+7d", "7日", "tomorrow", "7days", "2023-13-01"] {
            assert_eq!(parse(text, NOW), Err(ExpiryError::Form), "{text}");
        }
    }
}
