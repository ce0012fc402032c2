//! Every setting of the KMS: one small struct for each concern.

mod auth;
mod events;
mod files;
mod keyring;
mod limits;
mod mail;

use std::path::PathBuf;

use coffer_server::settings::{
    HttpSettings, InternalSettings, LogSettings, SecretError, SecretUrl, read_secret,
};
use secrecy::SecretString;
use serde::Deserialize;

pub use auth::{AuthError, AuthSettings, EmailOtp};
pub use events::EventSettings;
pub use files::{FilesSettings, FilesSettingsError};
pub use keyring::KeyringSettings;
pub use limits::LimitSettings;
pub use mail::{SmtpSettings, SmtpTls};

/// All settings of the KMS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Listeners and what a request may cost.
    pub http: HttpSettings,
    /// How services prove themselves to each other.
    pub internal: InternalSettings,
    /// Where records are kept.
    pub storage: StorageSettings,
    /// The root key and the keys below it.
    pub keyring: KeyringSettings,
    /// Passwords, codes and sessions.
    pub auth: AuthSettings,
    /// Mail.
    pub smtp: SmtpSettings,
    /// File keys and the names of files.
    pub files: FilesSettings,
    /// How often something may be tried.
    pub limits: LimitSettings,
    /// Security events.
    pub events: EventSettings,
    /// Logs.
    pub log: LogSettings,
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

/// A setting without which the service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Nothing says where to keep things.
    #[error("`storage.records` is not set: use redis://host/0, or on one machine sqlite:///path")]
    NoStorage,
    /// The data service is nowhere.
    #[error(
        "`internal.data_url` is not set: the data service's internal listener, such as http://127.0.0.1:4001"
    )]
    NoData,
    /// The data service is not known.
    #[error(
        "`internal.services.data.secret` is not set: make one with `openssl rand -base64 32` and give it \
         to the data service as `internal.secret`"
    )]
    NoDataSecret,
    /// Nothing says how mail leaves.
    #[error(
        "`smtp.host` is not set: nobody can register or log in without mail. For development, \
         `smtp.dev_mailbox = true` keeps mail in memory, to be read on the internal listener"
    )]
    NoMail,
    /// The password of the storage cannot be read.
    #[error(transparent)]
    Password(#[from] SecretError),
}

impl Settings {
    /// Where records are kept.
    pub(crate) fn storage_url(&self) -> Result<SecretUrl, SettingsError> {
        let url = self.storage.records.as_ref().ok_or(SettingsError::NoStorage)?;
        Ok(url.with_password(self.storage.password()?.as_ref()))
    }

    /// Where the data service's internal listener is.
    pub(crate) fn data_url(&self) -> Result<&str, SettingsError> {
        self.internal.data_url.as_deref().ok_or(SettingsError::NoData)
    }
}
