//! Gateways of a test over one store, and a naive model of what they should know.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use coffer_core::{Clock as _, ManualClock, SeededRandom, SystemRandom, Timestamp, UserId};
use coffer_crypto::keyring::Keyring;
use coffer_store::records::{self, Records, Sealed};
use coffer_store::testing::{Observed, RedisServer};

use super::super::{Calendar, Kind, Operation, Report, Retention, Usage, UsageParts, UsageSettings};
use super::keys::{TestKeys, sizes};
use crate::repo::usage::Scope;

pub(super) const START: &str = "2026-03-01T21:00:00Z";
pub(super) const ZONE: &str = "Europe/Vienna";

pub(super) fn owner(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

/// A store, and what must live as long.
pub(super) struct Backend {
    records: Arc<dyn Records>,
    _kept: (Option<tempfile::TempDir>, Option<RedisServer>),
}

impl Backend {
    /// The back end of this name: `memory`, `sqlite` or `redis`.
    pub(super) async fn named(name: &str, clock: &Arc<ManualClock>) -> Self {
        let folder = (name == "sqlite").then(|| tempfile::tempdir().unwrap());
        let server = (name == "redis")
            .then(|| RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "everysec"]));
        let url = match (&folder, &server) {
            (Some(folder), _) => format!("sqlite://{}/usage.db", folder.path().display()),
            (_, Some(server)) => server.url(),
            _ => "memory:".to_owned(),
        };
        Self { records: records::open(&url, clock.clone()).await.unwrap(), _kept: (folder, server) }
    }
}

pub(super) struct World {
    pub(super) clock: Arc<ManualClock>,
    pub(super) records: Arc<Observed>,
    pub(super) keys: Arc<TestKeys>,
    keyring: Arc<Keyring>,
    _backend: Backend,
}

impl World {
    pub(super) async fn on(backend: &str) -> Self {
        let clock = Arc::new(ManualClock::at(START.parse().unwrap()));
        let backend = Backend::named(backend, &clock).await;
        Self {
            records: Arc::new(Observed::new(backend.records.clone())),
            keys: Arc::default(),
            keyring: Arc::new(Keyring::create(clock.now(), &SeededRandom::new(1))),
            clock,
            _backend: backend,
        }
    }

    pub(super) async fn new() -> Self {
        Self::on("memory").await
    }

    /// One more gateway.
    pub(super) fn gateway(&self) -> Usage {
        self.gateway_that(true)
    }

    pub(super) fn gateway_that(&self, enabled: bool) -> Usage {
        let random = Arc::new(SystemRandom);
        let settings = UsageSettings {
            enabled,
            retention: Retention { days: 400, hours: 336 },
            calendar: Calendar::of(ZONE).unwrap(),
        };
        let parts = UsageParts {
            store: Sealed::new(self.records.clone(), self.keyring.clone(), random.clone()),
            keys: self.keys.clone(),
            clock: self.clock.clone(),
            random,
        };
        Usage::new(settings, parts)
    }

    /// Does something to a key as the gateway `usage` would, and counts it.
    pub(super) fn act(&self, usage: &Usage, owner: UserId, (kind, key, bytes): (Kind, &str, u64)) {
        match kind {
            Kind::Read => {}
            Kind::Write => self.keys.store(owner, key, sizes(i64::try_from(bytes).unwrap(), bytes > 50)),
            Kind::Delete => assert!(self.keys.delete(owner, key), "only a key that exists is deleted"),
        }
        let duration = Duration::from_micros(100 + bytes);
        let data_bytes = if kind == Kind::Delete { 0 } else { bytes };
        usage.record(owner, &Operation { kind, key, at: self.clock.now(), duration, data_bytes });
    }
}

/// Flushes, and counts whose keys must be counted.
pub(super) async fn settle(usage: &Usage) {
    usage.flush().await.unwrap();
    usage.inner.flusher.count_now(&usage.inner.recorder, &usage.inner.writer).await;
    usage.flush().await.unwrap();
}

pub(super) async fn report(usage: &Usage, of: UserId) -> Report {
    usage.report(Scope::Owner(of)).await.unwrap()
}

/// Every operation, and what follows from it by plain counting.
#[derive(Default)]
pub(super) struct Model {
    operations: Vec<(Kind, String, Timestamp, u64)>,
    /// Reads and writes of every key that exists, and its last read or else its first use.
    pub(super) keys: BTreeMap<String, (u64, Timestamp)>,
}

impl Model {
    pub(super) fn add(&mut self, (kind, key, bytes): (Kind, &str, u64), at: Timestamp) {
        self.operations.push((kind, key.to_owned(), at, bytes));
        if kind == Kind::Delete {
            self.keys.remove(key);
            return;
        }
        let known = self.keys.entry(key.to_owned()).or_insert((0, at));
        known.0 += 1;
        if kind == Kind::Read {
            known.1 = at;
        }
    }

    fn count(&self, kind: Kind) -> u64 {
        self.operations.iter().filter(|one| one.0 == kind).count() as u64
    }

    /// Fails unless the report says the same.
    pub(super) fn check(&self, report: &Report) {
        let summary = report.summary();
        let counts = [summary.counts.reads, summary.counts.writes, summary.counts.deletes];
        assert_eq!(counts, [Kind::Read, Kind::Write, Kind::Delete].map(|kind| self.count(kind)));
        assert_eq!(summary.unique_keys, self.keys.len() as u64);
        assert_eq!(summary.undetailed, 0);
        self.check_times(report);
        let mut top: Vec<_> = self.keys.iter().map(|(key, (count, _))| (*count, key.as_str())).collect();
        top.sort_by_key(|(count, key)| (std::cmp::Reverse(*count), *key));
        let known = summary.top.keys().iter().map(|one| (one.count, one.key.as_str()));
        assert!(known.take(20).eq(top.into_iter().take(20)));
        let durations: Vec<u64> = self.operations.iter().map(|one| 100 + one.3).collect();
        let spread = &summary.durations_us;
        assert_eq!((spread.count, spread.sum), (durations.len() as u64, durations.iter().sum()));
        assert_eq!(spread.min, durations.iter().min().copied().unwrap_or(0));
        assert_eq!(spread.max, durations.iter().max().copied().unwrap_or(0));
        let values: Vec<u64> =
            self.operations.iter().filter(|one| one.0 != Kind::Delete).map(|one| one.3).collect();
        assert_eq!(summary.value_bytes.sum, values.iter().sum::<u64>());
    }

    fn check_times(&self, report: &Report) {
        let zone = jiff::tz::TimeZone::get(ZONE).unwrap();
        let (mut days, mut hours) = (HashMap::<String, u64>::new(), HashMap::<i64, u64>::new());
        for (_, _, at, _) in &self.operations {
            let zoned = jiff::Timestamp::from_millisecond(at.as_ms()).unwrap().to_zoned(zone.clone());
            *days.entry(zoned.date().to_string()).or_default() += 1;
            *hours.entry(at.as_ms() / 3_600_000).or_default() += 1;
        }
        let known = report.days().map(|(day, counts)| (Calendar::date_text(day), counts.total()));
        assert_eq!(known.collect::<HashMap<_, _>>(), days);
        let known = report.summary().hours.iter().map(|(hour, counts)| (*hour, counts.total()));
        assert_eq!(known.collect::<HashMap<_, _>>(), hours);
        let recent: Vec<_> = report.summary().recent.iter().map(|one| one.at).collect();
        let all: Vec<_> = self.operations.iter().map(|one| one.2).collect();
        assert_eq!(recent, all[all.len().saturating_sub(100)..]);
    }
}
