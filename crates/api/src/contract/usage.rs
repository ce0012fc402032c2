//! The analytics of the key-value contract: `/stats` and `/analysis`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::validation::{Field, Request, Violation};
use crate::usage::UsageScope;

/// `GET` with a [`ScopeQuery`]: [`Stats`].
pub const STATS: &str = "/stats";
/// `GET` with a [`ScopeQuery`]: an [`Analysis`].
pub const ANALYSIS: &str = "/analysis";

/// Query of `/stats` and `/analysis`.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ScopeQuery {
    /// `all` asks for everybody's figures; for administrators.
    #[param(inline)]
    pub scope: UsageScope,
}

impl Request for ScopeQuery {
    const FIELDS: &'static [Field] = &[Field::text("scope", |text| {
        text.parse::<UsageScope>().map(drop).map_err(|error| Violation::value(&error.to_string()))
    })
    .optional()];
}

/// A key and how often it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TopKey {
    /// The key.
    pub key: String,
    /// Reads and writes.
    pub access_count: u64,
}

/// Answer of `/stats`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stats {
    /// Keys.
    pub total_keys: u64,
    /// Bytes of their values as they are stored, before they are sealed.
    pub total_size_bytes: u64,
    /// Keys that were stored with `encrypt`.
    pub encrypted_keys: u64,
    /// Keys whose value is stored compressed.
    pub compressed_keys: u64,
    /// The five keys that are used most.
    pub top_accessed_keys: Vec<TopKey>,
}

/// How often each kind of operation was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperationDistribution {
    /// Values read.
    pub read: u64,
    /// Values written.
    pub write: u64,
    /// Keys deleted.
    pub delete: u64,
}

/// A key, how often it was used and when last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessedKey {
    /// The key.
    pub key: String,
    /// Reads and writes.
    pub access_count: u64,
    /// The last of them, as `YYYY-MM-DD HH:MM:SS` in the time zone of the service.
    pub last_access_datetime: String,
    /// Its day.
    pub last_access_date: String,
    /// Its time of day.
    pub last_access_time: String,
}

/// An operation of the recent history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AccessedNow {
    /// The key.
    pub key: String,
    /// `read`, `write` or `delete`.
    pub operation: String,
    /// When, as `YYYY-MM-DD HH:MM:SS` in the time zone of the service.
    pub datetime: String,
    /// Its day.
    pub date: String,
    /// Its time of day.
    pub time: String,
    /// How long the answer took.
    pub response_time_ms: f64,
    /// Bytes of the value.
    pub data_size: u64,
}

/// How long answers took, in milliseconds; 0 without any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResponseTimes {
    /// The mean.
    pub avg_ms: f64,
    /// The shortest.
    pub min_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// The members that the source document shows at the top level of an analysis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Patterns {
    /// Operations by kind.
    pub operation_distribution: OperationDistribution,
    /// The ten keys that are used most.
    pub top_accessed_keys: Vec<AccessedKey>,
    /// Operations by day (`YYYY-MM-DD`).
    pub daily_access_patterns: BTreeMap<String, u64>,
    /// The last twenty operations, latest first.
    pub recent_access_history: Vec<AccessedNow>,
    /// How long answers took.
    pub response_time_stats: ResponseTimes,
}

/// How the keys are used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AccessPatterns {
    /// All operations.
    pub total_accesses: u64,
    /// Keys that exist and were used.
    pub unique_keys_accessed: u64,
    /// The rest.
    #[serde(flatten)]
    pub patterns: Patterns,
}

/// How many keys are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CompressionStats {
    /// Keys whose value is stored compressed.
    pub compressed_keys: u64,
    /// Those, of all keys.
    pub compression_ratio: f64,
}

/// How many keys are encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EncryptionStats {
    /// Keys that were stored with `encrypt`.
    pub encrypted_keys: u64,
    /// Those, of all keys.
    pub encryption_ratio: f64,
}

/// Answer of `/analysis`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Analysis {
    /// Keys.
    pub total_keys: u64,
    /// How they are used.
    pub access_patterns: AccessPatterns,
    /// The same once more, where the source document shows it.
    #[serde(flatten)]
    pub patterns: Patterns,
    /// How many are compressed.
    pub compression_stats: CompressionStats,
    /// How many are encrypted.
    pub encryption_stats: EncryptionStats,
    /// What the figures suggest.
    pub recommendations: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(value: &serde_json::Value) -> Vec<&str> {
        let mut fields: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        fields
    }

    #[test]
    fn an_analysis_shows_its_patterns_nested_and_at_the_top() {
        let json = serde_json::to_value(Analysis::default()).unwrap();
        let five = [
            "daily_access_patterns",
            "operation_distribution",
            "recent_access_history",
            "response_time_stats",
            "top_accessed_keys",
        ];
        let rest =
            ["access_patterns", "compression_stats", "encryption_stats", "recommendations", "total_keys"];
        let mut all = [five, rest].concat();
        all.sort_unstable();
        assert_eq!(fields(&json), all);
        let mut nested = [&five[..], &["total_accesses", "unique_keys_accessed"]].concat();
        nested.sort_unstable();
        assert_eq!(fields(&json["access_patterns"]), nested);
    }
}
