//! The gateway's native surface for usage analytics: how the caller's keys are used, and all keys for
//! administrators.

use std::fmt;

use coffer_core::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// `GET` with a [`UsageQuery`]: a [`UsageOverview`].
pub const USAGE: &str = "/api/v1/usage";
/// `GET` with a [`UsageQuery`]: [`UsageDays`].
pub const USAGE_DAYS: &str = "/api/v1/usage/days";
/// `GET` with a [`UsageQuery`]: [`UsageHours`].
pub const USAGE_HOURS: &str = "/api/v1/usage/hours";
/// `GET` with a [`UsageQuery`]: [`UsageTop`].
pub const USAGE_TOP: &str = "/api/v1/usage/top";
/// `GET` with a [`UsageQuery`]: [`UsageRecent`].
pub const USAGE_RECENT: &str = "/api/v1/usage/recent";
/// `GET` with an [`UnreadQuery`]: a page of [`UnreadKey`].
pub const USAGE_UNREAD: &str = "/api/v1/usage/unread";

/// `GET` with a [`UsedKeyQuery`]: a [`KeyUse`].
pub const USAGE_KEY: &str = "/api/v1/usage/key";

/// Whose keys are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageScope {
    /// The caller's.
    #[default]
    Own,
    /// Everybody's together; for administrators.
    All,
}

/// A text that names no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeError;

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a scope: expected own or all")
    }
}

impl std::error::Error for ScopeError {}

impl std::str::FromStr for UsageScope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        match text {
            "own" => Ok(Self::Own),
            "all" => Ok(Self::All),
            _ => Err(ScopeError),
        }
    }
}

/// Which figures are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// Whose keys; the caller's if not given.
    #[param(inline)]
    pub scope: UsageScope,
}

/// Which keys are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UnreadQuery {
    /// Keys that nobody has read for so many days, 0 to 36500.
    #[param(minimum = 0, maximum = 36500)]
    pub days: u32,
    /// `next_cursor` of the page before; none asks for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Keys in the page, 1 to 1000; 100 by default.
    #[serde(
        default,
        deserialize_with = "crate::page::deserialize_limit",
        skip_serializing_if = "Option::is_none"
    )]
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
}

/// How often each kind of operation was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperationCounts {
    /// Values read.
    pub reads: u64,
    /// Values written.
    pub writes: u64,
    /// Keys deleted.
    pub deletes: u64,
}

/// How a quantity is spread. Percentiles are right within 1 %; everything is 0 where nothing was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Distribution {
    /// How many were counted.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// Half of all are not over this.
    pub p50: f64,
    /// 90 % of all are not over this.
    pub p90: f64,
    /// 95 % of all are not over this.
    pub p95: f64,
    /// 99 % of all are not over this.
    pub p99: f64,
}

/// What the keys come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeyTotals {
    /// Keys.
    pub keys: u64,
    /// Bytes of their values as they were given.
    pub plain_bytes: u64,
    /// Bytes of their values as they are stored, before they are sealed.
    pub stored_bytes: u64,
    /// Keys whose value is stored compressed.
    pub compressed_keys: u64,
    /// Keys that were stored with `encrypt`. (All values are sealed.)
    pub encrypted_keys: u64,
    /// Compressed keys, of all; 0 without keys.
    pub compressed_share: f64,
    /// Keys stored with `encrypt`, of all; 0 without keys.
    pub encrypted_share: f64,
    /// Bytes stored for each byte given; 1 where there is nothing.
    pub stored_per_plain: f64,
}

/// Everything that is one figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageOverview {
    /// All operations ever.
    pub operations: OperationCounts,
    /// Keys that exist and were used.
    pub used_keys: u64,
    /// Operations that are counted everywhere but at their key, because too many keys were used at once.
    pub operations_without_key: u64,
    /// What the keys come to now.
    pub totals: KeyTotals,
    /// Milliseconds that answers took.
    pub response_ms: Distribution,
    /// Bytes of the values that were read and written.
    pub value_bytes: Distribution,
    /// What the figures suggest.
    pub recommendations: Vec<String>,
}

/// One day's operations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageDay {
    /// The day, in the time zone of the service.
    #[schema(format = Date)]
    pub date: String,
    /// Its operations.
    #[serde(flatten)]
    pub operations: OperationCounts,
}

/// Operations by day, earliest first; days without any are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageDays {
    /// The days.
    pub items: Vec<UsageDay>,
}

/// One hour's operations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageHour {
    /// When the hour begins (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub hour: Timestamp,
    /// Its operations.
    #[serde(flatten)]
    pub operations: OperationCounts,
}

/// Operations by hour, earliest first; hours without any are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageHours {
    /// The hours.
    pub items: Vec<UsageHour>,
}

/// A key that is used much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsedKey {
    /// Whose key it is; only where everybody's are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Uuid)]
    pub owner: Option<UserId>,
    /// The key.
    pub key: String,
    /// Reads and writes since it was made.
    pub count: u64,
    /// The last of them (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
}

/// The 64 keys that are used most, most used first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageTop {
    /// The keys.
    pub items: Vec<UsedKey>,
}

/// What was done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Its value was read.
    Read,
    /// A value was written.
    Write,
    /// It was deleted.
    Delete,
}

impl OperationKind {
    /// The kind as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecentOperation {
    /// Whose key it was; only where everybody's are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Uuid)]
    pub owner: Option<UserId>,
    /// The key.
    pub key: String,
    /// What was done.
    pub operation: OperationKind,
    /// When (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Milliseconds that the answer took.
    pub response_ms: f64,
    /// Bytes of the value.
    pub value_bytes: u64,
}

/// The last 100 operations, latest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageRecent {
    /// The operations.
    pub items: Vec<RecentOperation>,
}

/// A key that nobody has read for some time. Only keys that were used while analytics were on are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnreadKey {
    /// The key.
    pub key: String,
    /// Reads since it was made.
    pub reads: u64,
    /// Writes since it was made.
    pub writes: u64,
    /// The last read, if there was one (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_read_at: Option<Timestamp>,
    /// The last read or write (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
}

/// Which of the caller's keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsedKeyQuery {
    /// The key: any text of 1 to 1024 bytes.
    pub key: String,
}

/// How one key is used. Everything is 0 for a key that was not used while analytics were on, or does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyUse {
    /// Reads since it was made.
    pub reads: u64,
    /// Writes since it was made.
    pub writes: u64,
    /// The last read, if there was one (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_read_at: Option<Timestamp>,
    /// The last read or write, if there was one (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_one_flat_object() {
        let operations = OperationCounts { reads: 1, writes: 2, deletes: 3 };
        let day = UsageDay { date: "2026-01-31".into(), operations };
        let json = serde_json::to_value(&day).unwrap();
        assert_eq!(json, serde_json::json!({"date": "2026-01-31", "reads": 1, "writes": 2, "deletes": 3}));
        assert_eq!(serde_json::from_value::<UsageDay>(json).unwrap(), day);
    }

    #[test]
    fn a_kind_of_operation_has_one_name() {
        for kind in [OperationKind::Read, OperationKind::Write, OperationKind::Delete] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn a_scope_is_read_as_it_is_written_and_nothing_else_is_one() {
        for scope in [UsageScope::Own, UsageScope::All] {
            let text = serde_json::to_value(scope).unwrap();
            assert_eq!(text.as_str().unwrap().parse(), Ok(scope));
        }
        assert_eq!("everybody".parse::<UsageScope>(), Err(ScopeError));
    }
}
