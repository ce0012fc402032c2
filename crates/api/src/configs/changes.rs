//! What happens to configurations, as it happens.

use coffer_core::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// `GET` with a [`ConfigWatchQuery`]: server-sent events, each `change` with a [`ConfigChange`] as data. Without a user key
/// it is a 403.
pub const CONFIGS_WATCH: &str = "/api/v1/configs/watch";

/// Which changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ConfigWatchQuery {
    /// Only keys that begin with this.
    pub prefix: String,
    /// Only of this environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Only of this category; also what leaves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// What comes after this position: the `id` of an event. From now on if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What happened to a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfigChangeKind {
    /// It was made, or came from another environment.
    Created,
    /// It has a new value, or an earlier one again.
    Updated,
    /// It was deleted, or went to another environment.
    Deleted,
}

/// One configuration that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigChanged {
    /// The key.
    pub key: String,
    /// The environment.
    pub environment: String,
    /// The category that it has now, or had last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// What happened.
    pub op: ConfigChangeKind,
    /// The version that it has now, or had last.
    pub version: u64,
}

/// Everything that happened at once: several configurations, if they changed together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigChange {
    /// Later changes have greater ones.
    pub revision: u64,
    /// When (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The configurations.
    pub changes: Vec<ConfigChanged>,
}
