//! Who may come, what is kept, and how much of it there may be.

use std::path::PathBuf;
use std::time::Duration;

use coffer_core::{ExposeSecret as _, SecretString};
use coffer_server::settings::{SecretError, read_secret};
use serde::Deserialize;

/// `configs.*`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigsSettings {
    /// Who may come at all, besides having a user key.
    pub access: AccessMode,
    /// The API keys that open, separated by commas, where `access` asks for them.
    pub api_keys: Option<SecretString>,
    /// A file with the API keys.
    pub api_keys_file: Option<PathBuf>,
    /// Threads that derive, at low priority; 1 to 16.
    pub derivation_threads: usize,
    /// Derivations that may wait; 1 to 4,096.
    pub derivation_queue_max: usize,
    /// New user keys that one network address may bring in a minute.
    pub derivations_per_address_per_minute_max: u32,
    /// Derived user keys in memory, at most; 1 to 1,000,000.
    pub derived_keys_max: usize,
    /// Seconds after which a derived user key that is not used is wiped; at least 1.
    pub derived_key_idle_s: u32,
    /// Seconds after which a derived user key is wiped in any case; at least 1.
    pub derived_key_life_s: u32,
    /// The largest value, in bytes; at most 768 KiB.
    pub value_bytes_max: usize,
    /// What one name space may use, in bytes: names, values and history, and 256 for each of them.
    pub space_bytes_max: u64,
    /// What all name spaces together may use, in bytes.
    pub total_bytes_max: u64,
    /// Versions of a configuration that are kept besides the current one, at most; 0 to 64.
    pub versions_per_config_max: u8,
    /// Seconds for which a change can be watched afterwards; at least 60.
    pub watch_retention_s: u32,
    /// What the log of changes of one name space may use, in bytes: the records, and 256 for each; at least 64 KiB. The
    /// oldest go when there are more, also before `watch_retention_s`.
    pub watch_log_bytes_max: u64,
}

/// Who may come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessMode {
    /// Everybody who has a user key, as with the original.
    #[default]
    Open,
    /// Whoever also has one of `configs.api_keys`.
    ApiKey,
    /// Whoever also has a session.
    Session,
}

impl Default for ConfigsSettings {
    fn default() -> Self {
        Self {
            access: AccessMode::Open,
            api_keys: None,
            api_keys_file: None,
            derivation_threads: 1,
            derivation_queue_max: 64,
            derivations_per_address_per_minute_max: 60,
            derived_keys_max: 4096,
            derived_key_idle_s: 15 * 60,
            derived_key_life_s: 8 * 60 * 60,
            value_bytes_max: 256 * 1024,
            space_bytes_max: 32 * 1024 * 1024,
            total_bytes_max: 1024 * 1024 * 1024,
            versions_per_config_max: 32,
            watch_retention_s: 24 * 60 * 60,
            watch_log_bytes_max: 1024 * 1024,
        }
    }
}

/// The largest value that can be allowed: with its names and the seals it stays one record.
const VALUE_BYTES_MAX: usize = 768 * 1024;
const THREADS_MAX: usize = 16;
const QUEUE_MAX: usize = 4096;
const DERIVED_MAX: usize = 1_000_000;
const VERSIONS_MAX: u8 = 64;
/// The shortest API key.
const API_KEY_BYTES_MIN: usize = 16;
const LOG_BYTES_MIN: u64 = 64 * 1024;
/// What a counter of the storage holds.
const TOTAL_BYTES_MAX: u64 = 1 << 50;

/// A setting that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum ConfigsSettingsError {
    /// API keys are asked for, and there are none.
    #[error("`configs.access` is `api_key`, and `configs.api_keys` names none")]
    NoApiKeys,
    /// An API key that can be guessed.
    #[error("an API key in `configs.api_keys` has at least {API_KEY_BYTES_MIN} bytes")]
    ShortApiKey,
    /// The API keys cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A number that is too small or too large.
    #[error("`configs.{0}` is {1} to {2}")]
    Range(&'static str, u64, u64),
}

impl ConfigsSettings {
    /// Whether the settings can be.
    pub fn check(&self) -> Result<(), ConfigsSettingsError> {
        let within = |name, value: u64, min, max| {
            if (min..=max).contains(&value) {
                Ok(())
            } else {
                Err(ConfigsSettingsError::Range(name, min, max))
            }
        };
        let whole = |value: usize| value as u64;
        within("derivation_threads", whole(self.derivation_threads), 1, THREADS_MAX as u64)?;
        within("derivation_queue_max", whole(self.derivation_queue_max), 1, QUEUE_MAX as u64)?;
        let per_minute = self.derivations_per_address_per_minute_max.into();
        within("derivations_per_address_per_minute_max", per_minute, 1, u32::MAX.into())?;
        within("derived_keys_max", whole(self.derived_keys_max), 1, DERIVED_MAX as u64)?;
        within("derived_key_idle_s", self.derived_key_idle_s.into(), 1, u32::MAX.into())?;
        within("derived_key_life_s", self.derived_key_life_s.into(), 1, u32::MAX.into())?;
        within("value_bytes_max", whole(self.value_bytes_max), 1, VALUE_BYTES_MAX as u64)?;
        within("space_bytes_max", self.space_bytes_max, 1, TOTAL_BYTES_MAX)?;
        within("total_bytes_max", self.total_bytes_max, 1, TOTAL_BYTES_MAX)?;
        within("versions_per_config_max", self.versions_per_config_max.into(), 0, VERSIONS_MAX.into())?;
        within("watch_retention_s", self.watch_retention_s.into(), 60, u32::MAX.into())?;
        within("watch_log_bytes_max", self.watch_log_bytes_max, LOG_BYTES_MIN, TOTAL_BYTES_MAX)?;
        self.door().map(drop)
    }

    /// Who may come, with the API keys.
    pub fn door(&self) -> Result<Door, ConfigsSettingsError> {
        let text = read_secret("configs.api_keys", self.api_keys.as_ref(), self.api_keys_file.as_deref())?;
        let text = text.as_ref().map_or("", |text| text.expose_secret());
        let keys = text.split([',', '\n']).map(str::trim).filter(|key| !key.is_empty());
        let hash = |key: &str| coffer_crypto::hash::sha256(key.as_bytes());
        let keys: Vec<&str> = keys.collect();
        if keys.iter().any(|key| key.len() < API_KEY_BYTES_MIN) {
            return Err(ConfigsSettingsError::ShortApiKey);
        }
        if self.access == AccessMode::ApiKey && keys.is_empty() {
            return Err(ConfigsSettingsError::NoApiKeys);
        }
        Ok(Door { mode: self.access, keys: keys.into_iter().map(hash).collect() })
    }

    pub(super) fn watch_retention(&self) -> Duration {
        Duration::from_secs(self.watch_retention_s.into())
    }
}

/// Who may come.
#[derive(Clone, Debug, Default)]
pub struct Door {
    /// What is asked for.
    pub mode: AccessMode,
    /// The API keys' hashes: as long as they must be, nobody guesses one from its hash.
    keys: Vec<[u8; 32]>,
}

impl Door {
    /// Whether this is one of the API keys. Every key is compared, in constant time.
    pub fn knows(&self, api_key: &[u8]) -> bool {
        let hash = coffer_crypto::hash::sha256(api_key);
        self.keys.iter().fold(false, |known, key| known | coffer_crypto::equal(key, &hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_can_be_and_what_cannot_is_refused() {
        let good = ConfigsSettings::default();
        good.check().unwrap();
        let refused = |settings: ConfigsSettings| settings.check().unwrap_err().to_string();
        let range = refused(ConfigsSettings { versions_per_config_max: 65, ..good.clone() });
        assert_eq!(range, "`configs.versions_per_config_max` is 0 to 64");
        assert!(
            refused(ConfigsSettings { value_bytes_max: VALUE_BYTES_MAX + 1, ..good.clone() })
                .contains("value")
        );
        assert!(refused(ConfigsSettings { derivation_threads: 0, ..good.clone() }).contains("threads"));
        let open = ConfigsSettings { access: AccessMode::ApiKey, ..good };
        assert!(matches!(open.check(), Err(ConfigsSettingsError::NoApiKeys)));
        let short = ConfigsSettings { api_keys: Some("short".into()), ..open };
        assert!(matches!(short.check(), Err(ConfigsSettingsError::ShortApiKey)));
    }

    #[test]
    fn a_door_knows_its_api_keys_alone_and_shows_none() {
        let keys = Some("planted-key-number-1, planted-key-number-2".into());
        let settings = ConfigsSettings { access: AccessMode::ApiKey, api_keys: keys, ..Default::default() };
        let door = settings.door().unwrap();
        assert!(door.knows(b"planted-key-number-1") && door.knows(b"planted-key-number-2"));
        assert!(!door.knows(b"planted-key-number-") && !door.knows(b""));
        assert!(!format!("{settings:?} {door:?}").contains("planted"));
    }
}
