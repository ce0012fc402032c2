//! `events.*`: the security events.

use std::time::Duration;

use serde::Deserialize;

/// How long security events are kept.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventSettings {
    /// In days.
    pub retention_days: u32,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self { retention_days: 365 }
    }
}

impl EventSettings {
    /// [`Self::retention_days`] as a duration, at least a day.
    pub fn retention(&self) -> Duration {
        Duration::from_hours(24) * self.retention_days.max(1)
    }
}
