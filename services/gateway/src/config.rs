//! Every setting of the gateway.

use coffer_server::settings::{HttpSettings, InternalSettings, LogSettings, SecretUrl};
use serde::Deserialize;

/// All settings of the gateway.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Listeners and what a request may cost.
    pub http: HttpSettings,
    /// How services prove themselves to each other.
    pub internal: InternalSettings,
    /// Where keys and figures are kept.
    pub storage: StorageSettings,
    /// Logs.
    pub log: LogSettings,
}

/// `storage.*`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageSettings {
    /// The record store: `sqlite:///path`, `redis://…`, `memory:`.
    pub records: Option<SecretUrl>,
}

impl Settings {
    /// Where the KMS's internal listener is.
    pub(crate) fn kms_url(&self) -> Result<&str, SettingsError> {
        self.internal.kms_url.as_deref().ok_or(SettingsError::NoKms)
    }

    /// Where records are kept.
    pub(crate) fn records_url(&self) -> Result<&SecretUrl, SettingsError> {
        self.storage.records.as_ref().ok_or(SettingsError::NoStorage)
    }
}

/// A setting without which the service cannot run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The KMS is nowhere.
    #[error("`internal.kms_url` is not set: the KMS's internal listener, such as http://127.0.0.1:3001")]
    NoKms,
    /// Nothing says where to keep things.
    #[error("`storage.records` is not set: use redis://host/2, or on one machine sqlite:///path")]
    NoStorage,
}
