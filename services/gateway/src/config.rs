//! Every setting of the gateway.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use coffer_core::SecretString;
use coffer_server::settings::{
    HttpSettings, InternalSettings, LogSettings, SecretError, SecretUrl, read_secret,
};
use serde::Deserialize;

use crate::domain::configs::ConfigsSettings;
use crate::domain::kv::KvSettings;
use crate::domain::usage::calendar::TimeZoneError;
use crate::domain::usage::{Calendar, Retention, UsageSettings};
use crate::routes::SeatLimits;

/// All settings of the gateway.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Listeners and what a request may cost.
    pub http: HttpSettings,
    /// How services prove themselves to each other.
    pub internal: InternalSettings,
    /// Where requests are passed on to.
    pub upstream: UpstreamSettings,
    /// Where keys and figures are kept.
    pub storage: StorageSettings,
    /// What is counted of the use of keys.
    pub analytics: AnalyticsSettings,
    /// The time zone of days, dates and times in figures of use: an IANA name, `UTC` by default. All gateways over one
    /// store must have the same; a change is for days to come.
    pub time_zone: TimeZoneName,
    /// What callers may ask for.
    pub limits: LimitSettings,
    /// The key-value store: what is kept and for how long.
    pub kv: KvSettings,
    /// Encrypted configurations: who may come, what is kept, and how much of it.
    pub configs: ConfigsSettings,
    /// Logs.
    pub log: LogSettings,
}

/// `upstream.*`: the public listeners of the other services, as this service reaches them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamSettings {
    /// The KMS's, such as `http://kms:3000`. The gateway's service token travels with every request there, so
    /// the way must be as private as that to the internal listener, or TLS.
    pub kms_url: Option<String>,
    /// The data service's, such as `http://data:4000`.
    pub data_url: Option<String>,
}

/// `analytics.*`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnalyticsSettings {
    /// Whether operations are counted. How many keys there are and how large is known in either case.
    pub enabled: bool,
    /// Days with figures of their own, 1 to 3,660. All operations together are counted for good.
    pub days: u32,
    /// Hours with figures of their own, 1 to 2,400.
    pub hours: u32,
}

const DAYS_MAX: u32 = 3_660;
const HOURS_MAX: u32 = 2_400;

impl Default for AnalyticsSettings {
    fn default() -> Self {
        Self { enabled: true, days: 400, hours: 14 * 24 }
    }
}

/// What may stand around a value in a body: a key, all of it escaped, and names.
const AROUND_VALUE_BYTES_MAX: usize = 64 * 1024;

/// The name of a time zone.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct TimeZoneName(String);

impl Default for TimeZoneName {
    fn default() -> Self {
        Self("UTC".to_owned())
    }
}

/// `limits.*`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// The largest body that is passed on, in bytes. The services behind have limits of their own.
    pub passed_body_bytes_max: NonZeroUsize,
    /// The largest file that is passed on as a stream, in bytes.
    pub passed_file_bytes_max: NonZeroU64,
    /// Of one user, how many may watch keys at the same time through one process; with one user key, as many
    /// configurations.
    pub watchers_per_user_max: NonZeroUsize,
    /// From one network address, how many may watch configurations at the same time through one process.
    pub config_watchers_per_address_max: NonZeroUsize,
    /// How many may watch configurations at the same time through one process.
    pub config_watchers_max: NonZeroUsize,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            passed_body_bytes_max: NonZeroUsize::new(64 * 1024 * 1024).expect("a constant over zero"),
            passed_file_bytes_max: NonZeroU64::new(1 << 40).expect("a constant over zero"),
            watchers_per_user_max: NonZeroUsize::new(16).expect("a constant over zero"),
            config_watchers_per_address_max: NonZeroUsize::new(256).expect("a constant over zero"),
            config_watchers_max: NonZeroUsize::new(4096).expect("a constant over zero"),
        }
    }
}

impl LimitSettings {
    /// How many may watch.
    pub(crate) fn seats(&self) -> SeatLimits {
        SeatLimits {
            per_user: self.watchers_per_user_max,
            configs_per_address: self.config_watchers_per_address_max,
            configs: self.config_watchers_max,
        }
    }
}

/// `storage.*`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageSettings {
    /// The record store: `sqlite:///path`, `redis://…`, `memory:`.
    pub records: Option<SecretUrl>,
    /// The password of the servers that are named without one.
    pub password: Option<SecretString>,
    /// A file that holds that password.
    pub password_file: Option<PathBuf>,
}

impl StorageSettings {
    fn password(&self) -> Result<Option<SecretString>, SecretError> {
        read_secret("storage.password", self.password.as_ref(), self.password_file.as_deref())
    }
}

impl Settings {
    /// Where the KMS's internal listener is.
    pub(crate) fn kms_url(&self) -> Result<&str, SettingsError> {
        self.internal.kms_url.as_deref().ok_or(SettingsError::NoKms)
    }

    /// The section `http`, with room in a body for the largest value and what is around it.
    pub(crate) fn http_with_limits(&self) -> HttpSettings {
        let body_bytes_max = self
            .http
            .body_bytes_max
            .max(self.kv.value_bytes_max.max(self.configs.value_bytes_max) + AROUND_VALUE_BYTES_MAX);
        HttpSettings { body_bytes_max, ..self.http.clone() }
    }

    /// Where the public listeners of the KMS and of the data service are.
    pub(crate) fn upstream_urls(&self) -> Result<(&str, &str), SettingsError> {
        let kms = self.upstream.kms_url.as_deref().ok_or(SettingsError::NoUpstream("kms", 3000))?;
        let data = self.upstream.data_url.as_deref().ok_or(SettingsError::NoUpstream("data", 4000))?;
        Ok((kms, data))
    }

    /// What usage analytics are to do.
    pub(crate) fn usage(&self) -> Result<UsageSettings, SettingsError> {
        let AnalyticsSettings { enabled, days, hours } = self.analytics;
        if !(1..=DAYS_MAX).contains(&days) || !(1..=HOURS_MAX).contains(&hours) {
            return Err(SettingsError::Retention);
        }
        let calendar = Calendar::of(&self.time_zone.0)?;
        Ok(UsageSettings { enabled, retention: Retention { days, hours }, calendar })
    }

    /// Where records are kept.
    pub(crate) fn records_url(&self) -> Result<SecretUrl, SettingsError> {
        let url = self.storage.records.as_ref().ok_or(SettingsError::NoStorage)?;
        Ok(url.with_password(self.storage.password()?.as_ref()))
    }
}

/// A setting without which the service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The KMS is nowhere.
    #[error("`internal.kms_url` is not set: the KMS's internal listener, such as http://127.0.0.1:3001")]
    NoKms,
    /// A service behind the gateway is nowhere.
    #[error(
        "`upstream.{0}_url` is not set: the public listener of that service, such as http://127.0.0.1:{1}"
    )]
    NoUpstream(&'static str, u16),
    /// Figures of no time, or of more time than a record holds.
    #[error("`analytics.days` is 1 to {DAYS_MAX} and `analytics.hours` 1 to {HOURS_MAX}")]
    Retention,
    /// There is no such time zone.
    #[error(transparent)]
    TimeZone(#[from] TimeZoneError),
    /// Nothing says where to keep things.
    #[error("`storage.records` is not set: use redis://host/2, or on one machine sqlite:///path")]
    NoStorage,
    /// The password of the storage cannot be read.
    #[error(transparent)]
    Password(#[from] SecretError),
}
