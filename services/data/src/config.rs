//! Every setting of the data service.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use coffer_core::SecretString;
use coffer_server::settings::{
    HttpSettings, InternalSettings, LogSettings, SecretError, SecretUrl, read_secret,
};
use serde::Deserialize;

/// All settings of the data service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Listeners and what a request may cost.
    pub http: HttpSettings,
    /// How services prove themselves to each other.
    pub internal: InternalSettings,
    /// Where files are kept.
    pub storage: StorageSettings,
    /// How files are named.
    pub files: FilesSettings,
    /// What callers may ask for.
    pub limits: LimitSettings,
    /// Logs.
    pub log: LogSettings,
}

/// `storage.*`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageSettings {
    /// The record store: `sqlite:///path`, `redis://…`, `memory:`.
    pub records: Option<SecretUrl>,
    /// The blob store, for ciphertext over 64 KiB: `file:///dir`, `redis://…`.
    pub blobs: Option<SecretUrl>,
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

/// `files.*`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilesSettings {
    /// One name space for all and no sessions, as in the original file service. The KMS must be set
    /// alike.
    pub shared_names: bool,
}

/// `limits.*`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// The largest body of an upload, in bytes. It is JSON with base64 inside, so about three quarters of
    /// it are ciphertext: 64 MiB carry a file of 48 MiB.
    pub upload_body_bytes_max: NonZeroUsize,
    /// Downloads of files over 64 KiB at the same time; each holds a few MiB in memory.
    pub large_downloads_max: NonZeroUsize,
    /// How many of these may be one user's, or one client address's where there are no sessions.
    pub large_downloads_per_user_max: NonZeroUsize,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            upload_body_bytes_max: NonZeroUsize::new(64 * 1024 * 1024).expect("a constant over zero"),
            large_downloads_max: NonZeroUsize::new(128).expect("a constant over zero"),
            large_downloads_per_user_max: NonZeroUsize::new(16).expect("a constant over zero"),
        }
    }
}

impl Settings {
    /// The section `http`, with the limit of an upload as that of every body: no other call of this
    /// service takes a body from the public.
    pub(crate) fn http_with_limits(&self) -> HttpSettings {
        HttpSettings { body_bytes_max: self.limits.upload_body_bytes_max.get(), ..self.http.clone() }
    }

    /// Where the KMS's internal listener is.
    pub(crate) fn kms_url(&self) -> Result<&str, SettingsError> {
        self.internal.kms_url.as_deref().ok_or(SettingsError::NoKms)
    }

    /// Where records and blobs are kept.
    pub(crate) fn storage_urls(&self) -> Result<(SecretUrl, SecretUrl), SettingsError> {
        let records = self.storage.records.as_ref().ok_or(SettingsError::NoStorage("records"))?;
        let blobs = self.storage.blobs.as_ref().ok_or(SettingsError::NoStorage("blobs"))?;
        let password = self.storage.password()?;
        Ok((records.with_password(password.as_ref()), blobs.with_password(password.as_ref())))
    }
}

/// A setting without which the service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The KMS is nowhere.
    #[error("`internal.kms_url` is not set: the KMS's internal listener, such as http://127.0.0.1:3001")]
    NoKms,
    /// Nothing says where to keep things.
    #[error(
        "`storage.{0}` is not set: use redis://host/1, or on one machine sqlite:///path for records and \
             file:///dir for blobs"
    )]
    NoStorage(&'static str),
    /// The password of the storage cannot be read.
    #[error(transparent)]
    Password(#[from] SecretError),
}
