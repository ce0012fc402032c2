//! Configurations of one environment as a text.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// `GET` with a [`ConfigExportQuery`]: the configurations of an environment, in a format.
pub const CONFIGS_EXPORT: &str = "/api/v1/configs/export";
/// `POST` what an export gave, or a text like that, with a [`ConfigImportQuery`]: a [`ConfigImported`].
pub const CONFIGS_IMPORT: &str = "/api/v1/configs/import";

/// A way to write configurations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfigFormat {
    /// JSON.
    #[default]
    Json,
    /// YAML.
    Yaml,
    /// TOML.
    Toml,
    /// `.env`: variables of an environment.
    Env,
}

impl ConfigFormat {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Yaml => "application/yaml",
            Self::Toml => "application/toml",
            Self::Env => "text/plain; charset=utf-8",
        }
    }
}

/// What is exported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ConfigExportQuery {
    /// The environment; the default one if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The format; JSON if not given.
    #[param(inline)]
    pub format: ConfigFormat,
}

/// What becomes of configurations that are there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfigImportMode {
    /// They stay as they are.
    #[default]
    CreateOnly,
    /// They get a new version, unless they are the same.
    Overwrite,
}

/// How something is imported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ConfigImportQuery {
    /// The environment; if not given the one that the text names, or else the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The format; JSON if not given.
    #[param(inline)]
    pub format: ConfigFormat,
    /// What becomes of what is there already; it stays if not given.
    #[param(inline)]
    pub mode: ConfigImportMode,
    /// Only says what would be done.
    pub dry_run: bool,
}

/// What became of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfigImportOutcome {
    /// It was made.
    Created,
    /// It has a new version.
    Changed,
    /// It was there already, and is as it was.
    Left,
}

/// A configuration that was imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigImportedItem {
    /// The key.
    pub key: String,
    /// What became of it.
    pub outcome: ConfigImportOutcome,
    /// The version that it has now.
    pub version: u64,
}

/// What was done, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigImported {
    /// The environment.
    pub environment: String,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// Whether the text is from this deployment, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_deployment: Option<bool>,
    /// How many were made.
    pub created: u64,
    /// How many have a new version.
    pub changed: u64,
    /// How many are as they were.
    pub left: u64,
    /// What became of each.
    pub items: Vec<ConfigImportedItem>,
    /// What should be said of the user key, if it is weak.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_advice: Option<String>,
}
