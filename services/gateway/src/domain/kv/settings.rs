//! What is kept, how long, and how much of it there may be.

use std::time::Duration;

use serde::Deserialize;

/// `kv.*`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KvSettings {
    /// Versions of a key that are kept besides the current one, at most; 0 to 64.
    pub versions_per_key_max: u8,
    /// Days for which a version is kept after it was replaced; at least 1.
    pub history_days: u16,
    /// Days for which a deleted key is in the trash; 0 deletes at once and for good.
    pub trash_days: u16,
    /// Seconds for which a change can be watched afterwards; at least 60.
    pub watch_retention_s: u32,
    /// The largest value, in bytes; at most 16 MiB.
    pub value_bytes_max: usize,
    /// Keys of one owner, about: what is written at the same time may go a little beyond. What adds none needs no room.
    pub keys_per_owner_max: u64,
}

impl Default for KvSettings {
    fn default() -> Self {
        Self {
            versions_per_key_max: 16,
            history_days: 30,
            trash_days: 30,
            watch_retention_s: 24 * 60 * 60,
            value_bytes_max: VALUE_BYTES_MAX,
            keys_per_owner_max: 1_000_000,
        }
    }
}

/// The largest value that can be allowed, in bytes: its parts commit together.
pub const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;
const VERSIONS_MAX: u8 = 64;
const DAY: Duration = Duration::from_hours(24);

/// A setting that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KvSettingsError {
    /// More versions than a commit can tidy up.
    #[error("`kv.versions_per_key_max` is at most {VERSIONS_MAX}")]
    Versions,
    /// History that is gone at once.
    #[error("`kv.history_days` is at least 1; `kv.versions_per_key_max` 0 keeps no history")]
    History,
    /// A watcher could not even resume.
    #[error("`kv.watch_retention_s` is at least 60")]
    Watch,
    /// More than commits at once.
    #[error("`kv.value_bytes_max` is 1 to {VALUE_BYTES_MAX}")]
    Value,
}

impl KvSettings {
    /// Whether the settings can be.
    pub fn check(&self) -> Result<(), KvSettingsError> {
        if self.versions_per_key_max > VERSIONS_MAX {
            return Err(KvSettingsError::Versions);
        }
        if self.history_days == 0 {
            return Err(KvSettingsError::History);
        }
        if self.watch_retention_s < 60 {
            return Err(KvSettingsError::Watch);
        }
        if !(1..=VALUE_BYTES_MAX).contains(&self.value_bytes_max) {
            return Err(KvSettingsError::Value);
        }
        Ok(())
    }

    pub(super) fn history(&self) -> Duration {
        DAY * u32::from(self.history_days)
    }

    pub(super) fn trash(&self) -> Duration {
        DAY * u32::from(self.trash_days)
    }

    pub(super) fn watch_retention(&self) -> Duration {
        Duration::from_secs(u64::from(self.watch_retention_s))
    }

    pub(super) fn versions_max(&self) -> usize {
        usize::from(self.versions_per_key_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_can_be_and_what_cannot_is_refused() {
        let good = KvSettings::default();
        assert_eq!(good.check(), Ok(()));
        assert_eq!(KvSettings { history_days: 0, ..good }.check(), Err(KvSettingsError::History));
        assert_eq!(
            KvSettings { value_bytes_max: VALUE_BYTES_MAX + 1, ..good }.check(),
            Err(KvSettingsError::Value)
        );
        assert_eq!(KvSettings { versions_per_key_max: 65, ..good }.check(), Err(KvSettingsError::Versions));
        assert_eq!(KvSettings { watch_retention_s: 59, ..good }.check(), Err(KvSettingsError::Watch));
    }
}
