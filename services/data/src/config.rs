//! Every setting of the data service.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use coffer_core::SecretString;
use coffer_server::settings::{
    HttpSettings, InternalSettings, LogSettings, SecretError, SecretUrl, read_secret,
};
use serde::Deserialize;

use crate::domain::collector::{COLLECT_AFTER, COLLECT_INTERVAL};
use crate::domain::native::Keeping;

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
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilesSettings {
    /// One name space for all and no sessions, as in the original file service. The KMS must be set
    /// alike.
    pub shared_names: bool,
    /// How many versions of a file are kept beside the present one, at most 100. 0 keeps none.
    pub versions_max: u8,
    /// For how many days a version is kept after another took its place. 0 keeps none.
    pub versions_days: u16,
    /// For how many days a deleted file is kept. 0 deletes at once.
    pub trash_days: u16,
    /// After how many seconds without a sign of life an upload counts as abandoned, and what there is of it is removed.
    pub collect_after_s: NonZeroU32,
    /// How often, in seconds, what nothing names any more is looked for.
    pub collect_interval_s: NonZeroU32,
}

/// Versions of one file that can be kept: the KMS opens the last 128.
const VERSIONS_MAX: u8 = 100;

impl Default for FilesSettings {
    fn default() -> Self {
        let seconds = |time: Duration| u32::try_from(time.as_secs()).ok().and_then(NonZeroU32::new);
        Self {
            shared_names: false,
            versions_max: 20,
            versions_days: 30,
            trash_days: 30,
            collect_after_s: seconds(COLLECT_AFTER).expect("a constant over zero"),
            collect_interval_s: seconds(COLLECT_INTERVAL).expect("a constant over zero"),
        }
    }
}

impl FilesSettings {
    /// For how long what was replaced or deleted is kept.
    pub(crate) fn keeping(&self) -> Keeping {
        let days = |days: u16| Duration::from_hours(24) * u32::from(days);
        Keeping {
            versions_max: self.versions_max.min(VERSIONS_MAX).into(),
            versions: days(self.versions_days),
            trash: days(self.trash_days),
            collect_after: Duration::from_secs(self.collect_after_s.get().into()),
        }
    }

    /// How often to look for what nothing names.
    pub(crate) fn collect_interval(&self) -> Duration {
        Duration::from_secs(self.collect_interval_s.get().into())
    }
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
    /// The largest file, in bytes of its envelope.
    pub file_bytes_max: NonZeroU64,
    /// Uploads of envelopes over 64 KiB at the same time; each holds a few MiB in memory.
    pub large_uploads_max: NonZeroUsize,
    /// How many of these may be one user's.
    pub large_uploads_per_user_max: NonZeroUsize,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            upload_body_bytes_max: NonZeroUsize::new(64 * 1024 * 1024).expect("a constant over zero"),
            large_downloads_max: NonZeroUsize::new(128).expect("a constant over zero"),
            large_downloads_per_user_max: NonZeroUsize::new(16).expect("a constant over zero"),
            file_bytes_max: NonZeroU64::new(1 << 40).expect("a constant over zero"),
            large_uploads_max: NonZeroUsize::new(64).expect("a constant over zero"),
            large_uploads_per_user_max: NonZeroUsize::new(16).expect("a constant over zero"),
        }
    }
}

impl Settings {
    /// The section `http`, with the limit of a classic upload as that of every body: no other call of this
    /// service takes a large one from the public but those that stream.
    pub(crate) fn http_with_limits(&self) -> HttpSettings {
        HttpSettings { body_bytes_max: self.limits.upload_body_bytes_max.get(), ..self.http.clone() }
    }

    /// Refuses what cannot be.
    pub(crate) fn check_files(&self) -> Result<(), SettingsError> {
        if self.files.versions_max > VERSIONS_MAX { Err(SettingsError::Versions) } else { Ok(()) }
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
    /// More versions than can be opened.
    #[error("`files.versions_max` is at most {VERSIONS_MAX}")]
    Versions,
    /// The password of the storage cannot be read.
    #[error(transparent)]
    Password(#[from] SecretError),
}
