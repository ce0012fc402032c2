//! `limits.*` of identity: how often something may be tried, over all replicas together.

use std::time::Duration;

use serde::Deserialize;

/// How often something may be tried. Each is counted over a sliding window.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// The window of all limits but those of codes, in seconds.
    pub auth_window_s: u32,
    /// Calls that try a password or a code or ask for a code, from one network address in a window.
    pub auth_per_address_max: u32,
    /// The same for one account, by everybody who is not recognised.
    pub auth_per_account_max: u32,
    /// The same for one account by each recognised device or address.
    pub auth_per_device_max: u32,
    /// The window of the limits of codes, in seconds.
    pub code_window_s: u32,
    /// Codes sent to one account in that window, at the request of those who are not recognised.
    pub codes_per_account_max: u32,
    /// Codes sent to one account in that window at the request of one recognised device or address.
    pub codes_per_device_max: u32,
    /// Codes asked for by one network address in that window.
    pub codes_per_address_max: u32,
    /// Wrong codes that may be tried for one account and purpose within 24 hours: by each recognised device or
    /// address, by all others together who asked for a code, and by everybody else together.
    pub wrong_codes_per_day_max: u32,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            auth_window_s: 60,
            auth_per_address_max: 60,
            auth_per_account_max: 10,
            auth_per_device_max: 10,
            code_window_s: 600,
            codes_per_account_max: 10,
            codes_per_device_max: 10,
            codes_per_address_max: 60,
            wrong_codes_per_day_max: 20,
        }
    }
}

impl LimitSettings {
    /// [`Self::auth_window_s`] as a duration.
    pub fn auth_window(&self) -> Duration {
        Duration::from_secs(self.auth_window_s.into())
    }

    /// [`Self::code_window_s`] as a duration.
    pub fn code_window(&self) -> Duration {
        Duration::from_secs(self.code_window_s.into())
    }
}
