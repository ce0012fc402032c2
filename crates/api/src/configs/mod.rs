//! The gateway's native surface of encrypted configuration.
//!
//! Every call carries the user key in the header [`USER_KEY`](crate::contract::configs::USER_KEY). A configuration is
//! named by key and environment; where no environment is given, the key's only one is meant, or else the default one.
//! Only what is stored names its environment or goes to the default one.

mod changes;
mod env;
mod transfer;
mod unread;

use coffer_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;
use crate::raw::also_null;
use crate::secret::WireSecret;
pub use changes::{CONFIGS_WATCH, ConfigChange, ConfigChangeKind, ConfigChanged, ConfigWatchQuery};
pub use env::env_name;
pub use transfer::{
    CONFIGS_EXPORT, CONFIGS_IMPORT, ConfigExportQuery, ConfigFormat, ConfigImportMode, ConfigImportOutcome,
    ConfigImportQuery, ConfigImported, ConfigImportedItem,
};
pub use unread::{CONFIGS_UNREAD, ConfigUnreadPage, ConfigUnreadQuery, UnreadConfig};

/// `GET` with a [`ConfigListQuery`]: a [`ConfigPage`].
pub const CONFIGS_ITEMS: &str = "/api/v1/configs/items";
/// `GET` with a [`ConfigGetQuery`]: the value. `PUT` a value with a [`ConfigPutQuery`]: a [`ConfigStored`]. `DELETE` with
/// a [`ConfigDeleteQuery`]: a [`ConfigMeta`], of what there was.
pub const CONFIGS_VALUE: &str = "/api/v1/configs/value";
/// `GET` with a [`ConfigQuery`]: the JSON Schema. `PUT` one, or `DELETE`: a [`ConfigMeta`].
pub const CONFIGS_SCHEMA: &str = "/api/v1/configs/schema";
/// `GET` with a [`ConfigQuery`]: a [`ConfigHistory`].
pub const CONFIGS_HISTORY: &str = "/api/v1/configs/history";
/// `GET` with a [`ConfigDiffQuery`]: a [`KvDiff`](crate::kv::KvDiff).
pub const CONFIGS_DIFF: &str = "/api/v1/configs/diff";
/// `POST` a [`ConfigRollback`]: a [`ConfigMeta`].
pub const CONFIGS_ROLLBACK: &str = "/api/v1/configs/rollback";
/// `POST` a [`ConfigPromote`]: a [`ConfigPromoted`].
pub const CONFIGS_PROMOTE: &str = "/api/v1/configs/promote";
/// `POST` a [`ConfigBatch`]: a [`ConfigBatchAnswer`].
pub const CONFIGS_BATCH: &str = "/api/v1/configs/batch";
/// `GET`: a [`ConfigSummary`].
pub const CONFIGS_SUMMARY: &str = "/api/v1/configs/summary";
/// `POST` a [`ConfigRekey`]: a [`ConfigRekeyed`].
pub const CONFIGS_REKEY: &str = "/api/v1/configs/rekey";

/// What is known of a configuration, or of one of its versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigMeta {
    /// Its number; never used again, also when it is deleted.
    pub id: u64,
    /// The key.
    pub key: String,
    /// The environment.
    pub environment: String,
    /// The category, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// 1 for the first value, one more for each that follows.
    pub version: u64,
    /// Bytes of the value.
    pub size_bytes: u64,
    /// When the configuration was made (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When this value was stored (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// A value was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigStored {
    /// What is known of the configuration now.
    #[serde(flatten)]
    pub meta: ConfigMeta,
    /// What should be said of the user key, if it is weak.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_advice: Option<String>,
}

/// Which configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConfigQuery {
    /// The key: 1 to 255 characters.
    pub key: String,
    /// The environment: 1 to 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// Which value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConfigGetQuery {
    /// The key.
    pub key: String,
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// An earlier version; the current one if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Whether references in it are resolved: `${ref:key}` to another configuration in the same environment,
    /// `${ref:key@environment}` to one in another; `$${` is `${`.
    #[serde(default)]
    pub resolve: bool,
}

/// How a value is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConfigPutQuery {
    /// The key: 1 to 255 characters.
    pub key: String,
    /// The environment; the default one if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The category: at most 100 characters; the one that there is if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Only if the configuration has this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_version: Option<u64>,
    /// Only if there is no such configuration.
    #[serde(default)]
    pub if_absent: bool,
}

/// What is deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConfigDeleteQuery {
    /// The key.
    pub key: String,
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Only if the configuration has this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_version: Option<u64>,
}

/// Which configurations are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ConfigListQuery {
    /// Only keys that begin with this.
    pub prefix: String,
    /// Only of this environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Only of this category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// `next_cursor` of the page before; none asks for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u64>,
    /// Configurations in the page, 1 to 1000; 100 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// One page of configurations, in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigPage {
    /// Configurations, without their values.
    pub items: Vec<ConfigMeta>,
    /// Where the next page begins, unless this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<u64>,
}

/// The versions of a configuration that are kept, the current one first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigHistory {
    /// The versions.
    pub items: Vec<ConfigMeta>,
}

/// Which values are compared: two versions of one configuration, or those of two environments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConfigDiffQuery {
    /// The key.
    pub key: String,
    /// The environment of the one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The version of the one; the current one if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// The environment of the other; the same if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_environment: Option<String>,
    /// The version of the other; the current one if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
}

/// Stores an earlier version anew, as the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigRollback {
    /// The key.
    pub key: String,
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The version whose value and category come back.
    pub version: u64,
    /// Only if the configuration has this version now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_version: Option<u64>,
}

/// Copies configurations from one environment to another: all of them at once or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigPromote {
    /// The environment that they are in.
    pub from: String,
    /// The environment that they will be in as well.
    pub to: String,
    /// Which: 1 to 50.
    #[schema(max_items = 50)]
    pub keys: Vec<String>,
    /// Whether what is in the other environment already gets a new version; else it is a conflict.
    #[serde(default)]
    pub overwrite: bool,
}

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigPromoted {
    /// What is in the other environment now, in the order asked. What was the same already is not changed.
    pub items: Vec<ConfigMeta>,
}

/// Which configurations are read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigBatch {
    /// 1 to 100.
    #[schema(max_items = 100)]
    pub items: Vec<ConfigName>,
    /// Whether references in them are resolved.
    #[serde(default)]
    pub resolve: bool,
}

/// A configuration in a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigName {
    /// The key.
    pub key: String,
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// What came of a batch.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ConfigBatchAnswer {
    /// In the order asked.
    pub results: Vec<ConfigOutcome>,
}

/// What came of one part of a batch.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ConfigOutcome {
    /// The HTTP status that it would have had alone.
    pub status: u16,
    /// What is known of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<ConfigMeta>,
    /// The value.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "also_null")]
    #[schema(value_type = Option<Object>)]
    pub value: Option<Box<RawValue>>,
    /// Why it was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// What a name space has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigSummary {
    /// Its environments, by name.
    pub environments: Vec<ConfigGroup>,
    /// Its categories, by name. What has none is not counted.
    pub categories: Vec<ConfigGroup>,
    /// What should be said of the user key, if it is weak.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_advice: Option<String>,
}

/// An environment or a category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigGroup {
    /// Its name.
    pub name: String,
    /// How many configurations it has.
    pub configs: u64,
}

/// Moves everything to another user key, at once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigRekey {
    /// The user key that opens everything from now on: at least 8 characters.
    #[schema(value_type = String, min_length = 8)]
    pub new_user_key: WireSecret,
}

/// Everything was moved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigRekeyed {
    /// What should be said of the new user key, if it is weak.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_advice: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_a_value_and_travels_as_one_and_what_is_not_there_is_none() {
        for (text, value) in [(r#"{"status":200,"value":null}"#, Some("null")), (r#"{"status":404}"#, None)] {
            let outcome: ConfigOutcome = serde_json::from_str(text).unwrap();
            assert_eq!(outcome.value.as_ref().map(|value| value.get()), value);
            assert_eq!(serde_json::to_string(&outcome).unwrap(), text);
        }
    }
}
