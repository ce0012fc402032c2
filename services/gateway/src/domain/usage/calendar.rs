//! Days and hours in the configured time zone.

use coffer_core::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Unit, Zoned};

/// Every time zone in use today is offset by a multiple of this from UTC, so that counts kept by quarters of
/// an hour can be told apart by day whatever the zone.
const QUARTER_MS: i64 = 15 * 60 * 1000;
const HOUR_MS: i64 = 60 * 60 * 1000;
const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// The name of no time zone.
#[derive(Clone, Debug, thiserror::Error)]
#[error("`time_zone` is no time zone: expected an IANA name, such as UTC or Europe/Vienna")]
pub struct TimeZoneError {
    #[source]
    source: jiff::Error,
}

/// Reckons days in one time zone.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
}

/// A calendar day, in days since 1970-01-01.
pub type Day = i32;

/// The parts of a moment as people write them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Both, as in `2026-01-31 12:00:00`.
    pub datetime: String,
    /// The day, as in `2026-01-31`.
    pub date: String,
    /// The time of day, as in `12:00:00`.
    pub time: String,
}

impl Calendar {
    /// The calendar of the zone with this IANA name.
    pub fn of(zone: &str) -> Result<Self, TimeZoneError> {
        TimeZone::get(zone).map(|zone| Self { zone }).map_err(|source| TimeZoneError { source })
    }

    /// The quarter of an hour, since 1970, in which `at` lies.
    pub(super) fn quarter_of(at: Timestamp) -> i64 {
        at.as_ms().div_euclid(QUARTER_MS)
    }

    /// When a quarter of an hour begins.
    pub(super) fn quarter_start(quarter: i64) -> Timestamp {
        Timestamp::from_ms(quarter.saturating_mul(QUARTER_MS))
    }

    /// The hour, since 1970 and in UTC, in which `at` lies.
    pub(super) fn hour_of(at: Timestamp) -> i64 {
        at.as_ms().div_euclid(HOUR_MS)
    }

    /// When an hour begins.
    pub fn hour_start(hour: i64) -> Timestamp {
        Timestamp::from_ms(hour.saturating_mul(HOUR_MS))
    }

    /// The day in which `at` lies.
    pub fn day_of(&self, at: Timestamp) -> Day {
        let date = self.zoned(at).date();
        EPOCH.until((Unit::Day, date)).map_or(0, |span| span.get_days())
    }

    /// A day as `YYYY-MM-DD`.
    pub fn date_text(day: Day) -> String {
        let date = EPOCH.checked_add(jiff::Span::new().days(day.clamp(-700_000, 2_900_000)));
        date.unwrap_or(EPOCH).to_string()
    }

    /// A moment as people of the zone write it.
    pub fn write(&self, at: Timestamp) -> Written {
        let zoned = self.zoned(at);
        Written {
            datetime: zoned.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            date: zoned.strftime("%Y-%m-%d").to_string(),
            time: zoned.strftime("%H:%M:%S").to_string(),
        }
    }

    /// A moment as people of the zone write it, with microseconds, as in `2026-01-31 12:00:00.250000`.
    pub fn write_micros(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
    }

    /// A moment with date, time and offset, as in `2026-01-31T12:00:00.250000+00:00` (ISO 8601).
    pub fn iso(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%Y-%m-%dT%H:%M:%S.%6f%:z").to_string()
    }

    fn zoned(&self, at: Timestamp) -> Zoned {
        let moment = jiff::Timestamp::from_millisecond(at.as_ms()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        moment.to_zoned(self.zone.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_begins_at_midnight_of_its_zone_also_when_the_clocks_change() {
        let vienna = Calendar::of("Europe/Vienna").unwrap();
        let day = |text: &str| Calendar::date_text(vienna.day_of(at(text)));
        assert_eq!(day("2026-03-28T22:59:59Z"), "2026-03-28");
        assert_eq!(day("2026-03-28T23:00:00Z"), "2026-03-29");
        // Summer time began that night: the next midnight comes an hour earlier by UTC.
        assert_eq!(day("2026-03-29T21:59:59Z"), "2026-03-29");
        assert_eq!(day("2026-03-29T22:00:00Z"), "2026-03-30");
    }

    #[test]
    fn a_quarter_of_an_hour_never_spans_two_days() {
        for zone in ["UTC", "Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns", "Asia/Kolkata"] {
            let calendar = Calendar::of(zone).unwrap();
            let start = Calendar::quarter_of(at("2026-11-20T00:00:00Z"));
            for quarter in start..start + 200 {
                let first = Calendar::quarter_start(quarter);
                let last = Timestamp::from_ms(Calendar::quarter_start(quarter + 1).as_ms() - 1);
                assert_eq!(calendar.day_of(first), calendar.day_of(last), "{zone}");
            }
        }
    }

    #[test]
    fn a_moment_is_written_as_the_zone_has_it() {
        let (kolkata, moment) = (Calendar::of("Asia/Kolkata").unwrap(), at("2026-01-31T20:00:05.678Z"));
        assert_eq!(kolkata.write_micros(moment), "2026-02-01 01:30:05.678000");
        let written = kolkata.write(moment);
        let expected = Written {
            datetime: "2026-02-01 01:30:05".into(),
            date: "2026-02-01".into(),
            time: "01:30:05".into(),
        };
        assert_eq!(written, expected);
    }

    #[test]
    fn a_name_that_is_no_zone_is_refused_with_an_example() {
        let error = Calendar::of("Mars/Olympus").unwrap_err();
        assert!(error.to_string().contains("Europe/Vienna"));
    }

    #[test]
    fn days_before_1970_and_after_are_told_by_their_date() {
        assert_eq!(Calendar::date_text(-1), "1969-12-31");
        assert_eq!(Calendar::date_text(20_000), "2024-10-04");
    }
}
