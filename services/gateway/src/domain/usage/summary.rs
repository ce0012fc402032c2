//! Everything that is known of one owner's use, in one record of bounded size.

use std::collections::BTreeMap;
use std::time::Duration;

use coffer_core::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::calendar::{Calendar, Day};
use super::operation::{Counts, Recent, merge_recent};
use super::page::Cuts;
use super::pending::Aggregates;
use super::spread::Spread;
use super::top::Top;
use super::totals::Totals;

/// How long the last step of a process that writes summaries is remembered.
const WRITER_KEPT: Duration = Duration::from_hours(24);

/// How long figures by time are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days with counts of their own.
    pub days: u32,
    /// Hours with counts of their own.
    pub hours: u32,
}

/// A process that writes summaries: a random number, so that two never share one.
pub(super) type WriterId = u64;

/// The use of one owner's keys, or of all owners' together.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// All operations ever.
    pub counts: Counts,
    /// Keys that exist and were used.
    pub unique_keys: u64,
    /// Operations whose key was not noted, because there were too many at once.
    pub undetailed: u64,
    /// By calendar day of the configured zone.
    pub days: BTreeMap<Day, Counts>,
    /// By hour since 1970, UTC.
    pub hours: BTreeMap<i64, Counts>,
    /// Microseconds that answers took.
    pub durations_us: Spread,
    /// Bytes of the values that were read and written.
    pub value_bytes: Spread,
    /// The keys that are used most.
    pub top: Top,
    /// The latest operations, oldest first.
    pub recent: Vec<Recent>,
    /// What the keys come to.
    pub totals: Totals,
    /// Which pages of keys were cut.
    pub(super) cuts: Cuts,
    /// The last step of each process that wrote lately, and when that was.
    writers: BTreeMap<WriterId, (u64, Timestamp)>,
}

impl Summary {
    /// Whether this already contains that step of that process.
    pub(super) fn contains(&self, writer: WriterId, step: u64) -> bool {
        self.writers.get(&writer).is_some_and(|(last, _)| *last >= step)
    }

    /// Notes a step of a process, so that it is never taken twice.
    pub(super) fn note(&mut self, writer: WriterId, step: u64, now: Timestamp) {
        self.writers.retain(|_, (_, at)| now.since(*at) < WRITER_KEPT);
        self.writers.insert(writer, (step, now));
    }

    /// Adds what was counted.
    pub(super) fn add(&mut self, more: &Aggregates, owner: Option<UserId>, calendar: &Calendar) {
        for (quarter, counts) in &more.quarters {
            let at = Calendar::quarter_start(*quarter);
            self.counts += *counts;
            *self.days.entry(calendar.day_of(at)).or_default() += *counts;
            *self.hours.entry(Calendar::hour_of(at)).or_default() += *counts;
        }
        self.durations_us.merge(&more.durations_us);
        self.value_bytes.merge(&more.value_bytes);
        self.undetailed += more.undetailed;
        let recent = more.recent.iter().cloned();
        merge_recent(&mut self.recent, recent.map(|one| Recent { owner: one.owner.or(owner), ..one }));
    }

    /// Forgets days and hours that are older than they are kept.
    pub(super) fn forget(&mut self, now: Timestamp, (retention, calendar): (Retention, &Calendar)) {
        let first_day = calendar.day_of(now).saturating_sub_unsigned(retention.days.saturating_sub(1));
        let first_hour = Calendar::hour_of(now) - i64::from(retention.hours.saturating_sub(1));
        self.days = self.days.split_off(&first_day);
        self.hours = self.hours.split_off(&first_hour);
    }
}

#[cfg(test)]
mod tests {
    use super::super::operation::{Kind, Operation};
    use super::super::pending::Pending;
    use super::*;

    const RETENTION: Retention = Retention { days: 3, hours: 5 };

    fn counted(at: &str, times: usize) -> Aggregates {
        let mut pending = Pending::default();
        let duration = Duration::from_micros(10);
        let at = at.parse().unwrap();
        for _ in 0..times {
            pending.add(&Operation { kind: Kind::Read, key: "k", at, duration, data_bytes: 1 }, true);
        }
        pending.aggregates
    }

    #[test]
    fn days_and_hours_are_kept_as_long_as_set_and_totals_for_good() {
        let calendar = Calendar::of("UTC").unwrap();
        let mut summary = Summary::default();
        for (at, times) in
            [("2026-01-01T10:00:00Z", 1), ("2026-01-02T23:59:59Z", 2), ("2026-01-04T04:10:00Z", 4)]
        {
            summary.add(&counted(at, times), None, &calendar);
        }
        summary.forget("2026-01-04T05:00:00Z".parse().unwrap(), (RETENTION, &calendar));
        let days: Vec<_> =
            summary.days.iter().map(|(day, counts)| (Calendar::date_text(*day), counts.reads)).collect();
        assert_eq!(days, [("2026-01-02".to_owned(), 2), ("2026-01-04".to_owned(), 4)]);
        assert_eq!(summary.hours.len(), 1);
        assert_eq!(summary.counts.reads, 7);
    }

    #[test]
    fn a_step_is_known_until_its_process_has_been_silent_for_a_day() {
        let mut summary = Summary::default();
        let start = Timestamp::from_ms(0);
        summary.note(7, 3, start);
        assert!(summary.contains(7, 2) && summary.contains(7, 3));
        assert!(!summary.contains(7, 4) && !summary.contains(8, 1));
        summary.note(8, 1, start.plus(WRITER_KEPT));
        assert!(!summary.contains(7, 3));
    }

    #[test]
    fn a_summary_of_a_year_fits_well_into_its_record() {
        let calendar = Calendar::of("UTC").unwrap();
        let mut summary = Summary::default();
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        for hour in 0..400 * 24 {
            let at = start.plus(Duration::from_hours(hour)).to_string();
            summary.add(&counted(&at, 1), None, &calendar);
        }
        summary.forget(
            start.plus(Duration::from_hours(400 * 24)),
            (Retention { days: 400, hours: 336 }, &calendar),
        );
        let bytes = rmp_serde::to_vec_named(&summary).unwrap();
        assert!(bytes.len() < 32 * 1024, "{}", bytes.len());
    }
}
