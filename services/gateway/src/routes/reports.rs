//! Reports of usage as the two surfaces show them, and who may see which.

use coffer_api::ErrorCode;
use coffer_api::contract::usage as contract;
use coffer_api::usage::{
    Distribution, KeyTotals, OperationCounts, OperationKind, RecentOperation, UsageDay, UsageHour,
    UsageOverview, UsageScope, UsedKey,
};
use coffer_auth::Principal;
use coffer_auth::permission::SeeAllUsage;
use coffer_auth::principal::Permission as _;
use coffer_server::Failure;

use crate::domain::usage::advice::advice;
use crate::domain::usage::calendar::Written;
use crate::domain::usage::operation::Recent;
use crate::domain::usage::spread::Spread;
use crate::domain::usage::top::TopKey;
use crate::domain::usage::{Calendar, Counts, Kind, Report};
use crate::repo::usage::Scope;

/// Keys in `/stats`, in `/analysis`, and operations there, at most.
const STATS_KEYS: usize = 5;
const ANALYSIS_KEYS: usize = 10;
const ANALYSIS_RECENT: usize = 20;

/// The scope that `caller` asks for, if they may.
pub(super) fn scope(caller: &Principal, asked: UsageScope) -> Result<Scope, Failure> {
    match asked {
        UsageScope::Own => Ok(Scope::Owner(caller.user_id)),
        UsageScope::All => {
            SeeAllUsage::check(caller).map_err(|_| Failure::of(ErrorCode::PermissionDenied))?;
            Ok(Scope::All)
        }
    }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "times and sizes are far below 2^52")]
fn to_ms(microseconds: u64) -> f64 {
    microseconds as f64 / 1000.0
}

/// Answer of `/stats`.
pub(super) fn stats(report: &Report) -> contract::Stats {
    let sizes = report.sizes();
    let top = report.summary().top.keys().iter().take(STATS_KEYS);
    contract::Stats {
        total_keys: unsigned(sizes.keys),
        total_size_bytes: unsigned(sizes.stored_bytes),
        encrypted_keys: unsigned(sizes.encrypted),
        compressed_keys: unsigned(sizes.compressed),
        top_accessed_keys: top
            .map(|one| contract::TopKey { key: one.key.clone(), access_count: one.count })
            .collect(),
    }
}

/// Answer of `/analysis`.
pub(super) fn analysis(report: &Report, calendar: &Calendar) -> contract::Analysis {
    let (summary, sizes) = (report.summary(), report.sizes());
    let patterns = patterns(report, calendar);
    contract::Analysis {
        total_keys: unsigned(sizes.keys),
        access_patterns: contract::AccessPatterns {
            total_accesses: summary.counts.total(),
            unique_keys_accessed: summary.unique_keys,
            patterns: patterns.clone(),
        },
        patterns,
        compression_stats: contract::CompressionStats {
            compressed_keys: unsigned(sizes.compressed),
            compression_ratio: report.compressed_share(),
        },
        encryption_stats: contract::EncryptionStats {
            encrypted_keys: unsigned(sizes.encrypted),
            encryption_ratio: report.encrypted_share(),
        },
        recommendations: advice(report),
    }
}

fn patterns(report: &Report, calendar: &Calendar) -> contract::Patterns {
    let summary = report.summary();
    let Counts { reads, writes, deletes } = summary.counts;
    let top = summary.top.keys().iter().take(ANALYSIS_KEYS);
    let recent = summary.recent.iter().rev().take(ANALYSIS_RECENT);
    let times = &summary.durations_us;
    contract::Patterns {
        operation_distribution: contract::OperationDistribution {
            read: reads,
            write: writes,
            delete: deletes,
        },
        top_accessed_keys: top.map(|one| accessed(one, calendar)).collect(),
        daily_access_patterns: report
            .days()
            .map(|(day, counts)| (Calendar::date_text(day), counts.total()))
            .collect(),
        recent_access_history: recent.map(|one| accessed_now(one, calendar)).collect(),
        response_time_stats: contract::ResponseTimes {
            avg_ms: times.mean() / 1000.0,
            min_ms: to_ms(times.min),
            max_ms: to_ms(times.max),
        },
    }
}

fn accessed(one: &TopKey, calendar: &Calendar) -> contract::AccessedKey {
    let Written { datetime, date, time } = calendar.write(one.last_at);
    contract::AccessedKey {
        key: one.key.clone(),
        access_count: one.count,
        last_access_datetime: datetime,
        last_access_date: date,
        last_access_time: time,
    }
}

fn accessed_now(one: &Recent, calendar: &Calendar) -> contract::AccessedNow {
    let Written { datetime, date, time } = calendar.write(one.at);
    contract::AccessedNow {
        key: one.key.clone(),
        operation: kind(one.kind).as_str().to_owned(),
        datetime,
        date,
        time,
        response_time_ms: to_ms(one.duration_us),
        data_size: one.data_bytes,
    }
}

fn kind(kind: Kind) -> OperationKind {
    match kind {
        Kind::Read => OperationKind::Read,
        Kind::Write => OperationKind::Write,
        Kind::Delete => OperationKind::Delete,
    }
}

fn counts(counts: Counts) -> OperationCounts {
    OperationCounts { reads: counts.reads, writes: counts.writes, deletes: counts.deletes }
}

/// A spread in another unit: each figure divided by `unit`.
#[expect(clippy::cast_precision_loss, reason = "times and sizes are far below 2^52")]
fn distribution(spread: &Spread, unit: f64) -> Distribution {
    Distribution {
        count: spread.count,
        mean: spread.mean() / unit,
        min: spread.min as f64 / unit,
        max: spread.max as f64 / unit,
        p50: spread.quantile(0.5) / unit,
        p90: spread.quantile(0.9) / unit,
        p95: spread.quantile(0.95) / unit,
        p99: spread.quantile(0.99) / unit,
    }
}

/// Everything that is one figure.
pub(super) fn overview(report: &Report) -> UsageOverview {
    let (summary, sizes) = (report.summary(), report.sizes());
    UsageOverview {
        operations: counts(summary.counts),
        used_keys: summary.unique_keys,
        operations_without_key: summary.undetailed,
        totals: KeyTotals {
            keys: unsigned(sizes.keys),
            plain_bytes: unsigned(sizes.plain_bytes),
            stored_bytes: unsigned(sizes.stored_bytes),
            compressed_keys: unsigned(sizes.compressed),
            encrypted_keys: unsigned(sizes.encrypted),
            compressed_share: report.compressed_share(),
            encrypted_share: report.encrypted_share(),
            stored_per_plain: report.stored_per_plain(),
        },
        response_ms: distribution(&summary.durations_us, 1000.0),
        value_bytes: distribution(&summary.value_bytes, 1.0),
        recommendations: advice(report),
    }
}

/// Operations by day.
pub(super) fn days(report: &Report) -> Vec<UsageDay> {
    let day = |(day, of_day)| UsageDay { date: Calendar::date_text(day), operations: counts(of_day) };
    report.days().map(day).collect()
}

/// Operations by hour.
pub(super) fn hours(report: &Report) -> Vec<UsageHour> {
    let hours = report.summary().hours.iter();
    hours
        .map(|(hour, of_hour)| UsageHour { hour: Calendar::hour_start(*hour), operations: counts(*of_hour) })
        .collect()
}

/// The keys that are used most.
pub(super) fn top(report: &Report) -> Vec<UsedKey> {
    let key = |one: &TopKey| UsedKey {
        owner: one.owner,
        key: one.key.clone(),
        count: one.count,
        last_at: one.last_at,
    };
    report.summary().top.keys().iter().map(key).collect()
}

/// The latest operations, latest first.
pub(super) fn recent(report: &Report) -> Vec<RecentOperation> {
    let operation = |one: &Recent| RecentOperation {
        owner: one.owner,
        key: one.key.clone(),
        operation: kind(one.kind),
        at: one.at,
        response_ms: to_ms(one.duration_us),
        value_bytes: one.data_bytes,
    };
    report.summary().recent.iter().rev().map(operation).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use coffer_api::Role;
    use coffer_core::Clock as _;
    use serde_json::json;

    use super::*;
    use crate::domain::kv::Condition;
    use crate::domain::kv::tests::bed::{Bed, ann, anns, request, user};
    use crate::domain::usage::Operation;
    use crate::domain::usage::tests::with_kv::usage_over;

    /// A morning of one user: three keys stored, one of them read four times, one deleted.
    async fn morning() -> (Bed, Report) {
        let bed = Bed::memory();
        let usage = usage_over(&bed);
        let record = |kind, key: &str, ms, data_bytes| {
            let duration = Duration::from_millis(ms);
            let at = bed.clock.now();
            usage.record(anns().owner, &Operation { kind, key, at, duration, data_bytes });
        };
        for (key, value) in [("user:1", "\"short\""), ("user:2", "{}"), ("gone", "1")] {
            let put = bed.kv.put(&ann(), anns(), &request(key, value)).await.unwrap();
            record(Kind::Write, key, 2, put.plain_bytes);
            bed.clock.advance(Duration::from_secs(1));
        }
        (0..4).for_each(|_| record(Kind::Read, "user:1", 6, 7));
        bed.kv.delete(&ann(), anns(), &"gone".parse().unwrap(), Condition::None).await.unwrap();
        record(Kind::Delete, "gone", 4, 0);
        usage.flush().await.unwrap();
        let report = usage.report(Scope::Owner(anns().owner)).await.unwrap();
        (bed, report)
    }

    #[tokio::test]
    async fn an_analysis_tells_a_morning_as_it_was() {
        let (_bed, report) = morning().await;
        let analysis = serde_json::to_value(analysis(&report, &Calendar::of("UTC").unwrap())).unwrap();
        assert_eq!(analysis["total_keys"], 2);
        let patterns = &analysis["access_patterns"];
        assert_eq!((&patterns["total_accesses"], &patterns["unique_keys_accessed"]), (&json!(8), &json!(2)));
        for patterns in [patterns, &analysis] {
            let distribution = json!({"read": 4, "write": 3, "delete": 1});
            assert_eq!(patterns["operation_distribution"], distribution);
            assert_eq!(patterns["daily_access_patterns"], json!({"2023-11-14": 8}));
            let most = json!({"key": "user:1", "access_count": 5, "last_access_datetime": "2023-11-14 22:13:23",
                "last_access_date": "2023-11-14", "last_access_time": "22:13:23"});
            assert_eq!(patterns["top_accessed_keys"][0], most);
            let last = json!({"key": "gone", "operation": "delete", "datetime": "2023-11-14 22:13:23",
                "date": "2023-11-14", "time": "22:13:23", "response_time_ms": 4.0, "data_size": 0});
            assert_eq!(patterns["recent_access_history"][0], last);
            let times = json!({"avg_ms": 4.25, "min_ms": 2.0, "max_ms": 6.0});
            assert_eq!(patterns["response_time_stats"], times);
        }
        assert_eq!(analysis["encryption_stats"], json!({"encrypted_keys": 2, "encryption_ratio": 1.0}));
        assert_eq!(analysis["compression_stats"], json!({"compressed_keys": 0, "compression_ratio": 0.0}));
        let advice = analysis["recommendations"].to_string();
        assert!(advice.contains("compress") && advice.contains("user:"), "{advice}");
    }

    #[tokio::test]
    async fn stats_are_those_of_the_keys_that_there_are() {
        let (_bed, report) = morning().await;
        let stats = serde_json::to_value(stats(&report)).unwrap();
        let expected = json!({"total_keys": 2, "total_size_bytes": 9, "encrypted_keys": 2, "compressed_keys": 0,
            "top_accessed_keys": [{"key": "user:1", "access_count": 5}, {"key": "user:2", "access_count": 1}]});
        assert_eq!(stats, expected);
    }

    #[tokio::test]
    async fn the_native_figures_are_the_same_in_their_own_units() {
        let (_bed, report) = morning().await;
        let overview = overview(&report);
        assert_eq!(overview.operations, OperationCounts { reads: 4, writes: 3, deletes: 1 });
        assert_eq!((overview.totals.keys, overview.used_keys, overview.totals.plain_bytes), (2, 2, 9));
        let response = overview.response_ms;
        assert_eq!((response.count, response.min, response.max), (8, 2.0, 6.0));
        assert!((response.p90 - 6.0).abs() < 0.07, "{response:?}");
        assert_eq!(days(&report).len(), 1);
        assert_eq!(hours(&report)[0].hour.to_string(), "2023-11-14T22:00:00.000Z");
        assert_eq!(top(&report)[0].count, 5);
        assert_eq!(recent(&report).len(), 8);
    }

    #[test]
    fn only_an_administrator_may_see_everybodys_figures() {
        for role in [Role::Contractor, Role::Employee, Role::Supervisor] {
            let refused = scope(&user(1, role).principal, UsageScope::All).unwrap_err();
            assert_eq!(refused.code, ErrorCode::PermissionDenied);
        }
        let admin = user(1, Role::Admin).principal;
        assert_eq!(scope(&admin, UsageScope::All).unwrap(), Scope::All);
        assert_eq!(scope(&admin, UsageScope::Own).unwrap(), Scope::Owner(admin.user_id));
    }
}
