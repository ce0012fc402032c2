//! What callers ask and are answered.

use std::fmt;

pub use coffer_api::contract::configs::DEFAULT_ENVIRONMENT;
use coffer_core::Timestamp;

use super::ConfigsError;
use crate::repo::configs::Entry;

/// Which configuration.
#[derive(Clone, Copy, Debug)]
pub struct Address<'a> {
    /// The key.
    pub key: &'a str,
    /// The environment. Without one the key's only configuration is meant, or else that in the default environment.
    pub environment: Option<&'a str>,
}

/// A configuration that is to be made.
#[derive(Clone, Copy)]
pub struct NewConfig<'a> {
    /// The key.
    pub key: &'a str,
    /// The environment; the default one if not given.
    pub environment: Option<&'a str>,
    /// The category.
    pub category: Option<&'a str>,
    /// The value: JSON.
    pub value: &'a str,
}

/// What is to become of a configuration.
#[derive(Clone, Copy)]
pub struct Update<'a> {
    /// The value: JSON.
    pub value: &'a str,
    /// The category; the one that there is if not given.
    pub category: Option<&'a str>,
    /// The environment that it moves to, if it is to move.
    pub environment: Option<&'a str>,
}

impl fmt::Debug for NewConfig<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewConfig(redacted)")
    }
}

impl fmt::Debug for Update<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Update(redacted)")
    }
}

/// What must hold for a configuration to be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing: the last writer wins.
    #[default]
    None,
    /// There is no such configuration.
    Absent,
    /// The configuration has this version.
    Version(u64),
}

impl Condition {
    /// Refuses unless it holds for what there is.
    pub(super) fn check(self, version: Option<u64>) -> Result<(), ConfigsError> {
        let holds = match self {
            Self::None => true,
            Self::Absent => version.is_none(),
            Self::Version(wanted) => version == Some(wanted),
        };
        if holds { Ok(()) } else { Err(ConfigsError::Conflict { version }) }
    }
}

/// Which configurations are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Only of this category.
    pub category: Option<&'a str>,
    /// Only of this environment.
    pub environment: Option<&'a str>,
}

impl Filter<'_> {
    pub(super) fn takes(&self, entry: &Entry) -> bool {
        self.of(&entry.environment, entry.category.as_deref())
    }

    pub(super) fn takes_meta(&self, meta: &Meta) -> bool {
        self.of(&meta.environment, meta.category.as_deref())
    }

    fn of(&self, environment: &str, category: Option<&str>) -> bool {
        self.category.is_none_or(|wanted| category == Some(wanted))
            && self.environment.is_none_or(|wanted| environment == wanted)
    }
}

/// A configuration.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// Its number, which is never used again.
    pub id: u64,
    /// The key.
    pub key: String,
    /// The environment.
    pub environment: String,
    /// The category.
    pub category: Option<String>,
    /// The value: JSON as it was written.
    pub value: String,
    /// 1 for the first value, one more for each that follows.
    pub version: u64,
    /// When the configuration was made.
    pub created_at: Timestamp,
    /// When this value was stored.
    pub updated_at: Timestamp,
}

impl From<Entry> for Config {
    fn from(entry: Entry) -> Self {
        let Entry { id, key, environment, category, value, version, created_at, updated_at, .. } = entry;
        Self { id, key, environment, category, value, version, created_at, updated_at }
    }
}

/// What is known of a configuration, without its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Meta {
    /// Its number.
    pub id: u64,
    /// The key.
    pub key: String,
    /// The environment.
    pub environment: String,
    /// The category.
    pub category: Option<String>,
    /// The version.
    pub version: u64,
    /// Bytes of the value.
    pub bytes: u64,
    /// When the configuration was made.
    pub created_at: Timestamp,
    /// When this value was stored.
    pub updated_at: Timestamp,
}

impl From<Config> for Meta {
    fn from(config: Config) -> Self {
        let Config { id, key, environment, category, value, version, created_at, updated_at } = config;
        let bytes = value.len() as u64;
        Self { id, key, environment, category, version, bytes, created_at, updated_at }
    }
}

impl From<Entry> for Meta {
    fn from(entry: Entry) -> Self {
        Config::from(entry).into()
    }
}

impl fmt::Debug for Meta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meta").field("id", &self.id).field("version", &self.version).finish_non_exhaustive()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("id", &self.id).field("version", &self.version).finish_non_exhaustive()
    }
}
