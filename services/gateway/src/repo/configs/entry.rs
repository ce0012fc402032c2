//! What is sealed in a name space: configurations and changes.

use std::fmt;

use coffer_core::Timestamp;
use serde::{Deserialize, Serialize};

/// A configuration with one of its values.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, which is never used again.
    #[serde(rename = "i")]
    pub id: u64,
    /// The key.
    #[serde(rename = "k")]
    pub key: String,
    /// The environment.
    #[serde(rename = "e")]
    pub environment: String,
    /// The category.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The value: JSON as it was written.
    #[serde(rename = "v")]
    pub value: String,
    /// 1 for the first value, one more for each that follows.
    #[serde(rename = "n")]
    pub version: u64,
    /// When the configuration was made.
    #[serde(rename = "m")]
    pub created_at: Timestamp,
    /// When this value was stored.
    #[serde(rename = "u")]
    pub updated_at: Timestamp,
    /// The versions before this one that are kept, oldest first.
    #[serde(rename = "h", default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
    /// The JSON Schema that every value stored here must match; none of those that are kept has one.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
}

/// A version that is kept in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its number.
    #[serde(rename = "n")]
    pub version: u64,
    /// What it counts for, in bytes.
    #[serde(rename = "b")]
    pub charge: u64,
}

/// What an entry counts for besides its texts, in bytes: about what its record costs.
const OVERHEAD_BYTES: usize = 256;

impl Entry {
    /// A new configuration: its number, key and environment, its value and category.
    pub fn first(
        (id, key, environment): (u64, String, String),
        (value, category): (String, Option<String>),
        now: Timestamp,
    ) -> Self {
        let (created_at, updated_at) = (now, now);
        let (version, kept, schema) = (1, Vec::new(), None);
        Self { id, key, environment, category, value, version, created_at, updated_at, kept, schema }
    }

    /// What the entry counts for, in bytes; its history not included.
    pub fn charge(&self) -> u64 {
        let optional = [&self.category, &self.schema].map(|text| text.as_ref().map_or(0, String::len));
        let texts = self.key.len() + self.environment.len() + self.value.len();
        (OVERHEAD_BYTES + texts + optional.iter().sum::<usize>()) as u64
    }

    /// What the entry and its history count for.
    pub fn charge_in_all(&self) -> u64 {
        self.charge() + self.kept.iter().map(|kept| kept.charge).sum::<u64>()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("id", &self.id).field("version", &self.version).finish_non_exhaustive()
    }
}

/// What happened to a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// It was made.
    Created,
    /// It has a new value, or an earlier one again.
    Updated,
    /// It was deleted.
    Deleted,
}

/// One configuration that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What happened.
    #[serde(rename = "o")]
    pub op: Op,
    /// Its number.
    #[serde(rename = "i")]
    pub id: u64,
    /// The key.
    #[serde(rename = "k")]
    pub key: String,
    /// The environment.
    #[serde(rename = "e")]
    pub environment: String,
    /// The category.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The version that it has now, or had last.
    #[serde(rename = "n")]
    pub version: u64,
    /// The category that it left by this.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
}

impl Change {
    /// What happened to `entry`.
    pub fn of(op: Op, entry: &Entry) -> Self {
        let Entry { id, key, environment, category, version, .. } = entry;
        Self {
            op,
            id: *id,
            key: key.clone(),
            environment: environment.clone(),
            category: category.clone(),
            version: *version,
            left: None,
        }
    }

    /// The same with what was there before.
    #[must_use]
    pub fn after(self, old: &Entry) -> Self {
        let left = old.category.clone().filter(|old| self.category.as_ref() != Some(old));
        Self { left, ..self }
    }
}

/// What one commit did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRecord {
    /// When.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// What.
    #[serde(rename = "c")]
    pub changes: Vec<Change>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_name_and_no_value_and_every_text_is_charged() {
        let entry = Entry {
            id: 7,
            key: "planted-key".to_owned(),
            environment: "planted-environment".to_owned(),
            category: Some("planted-category".to_owned()),
            value: "\"planted\"".to_owned(),
            version: 2,
            created_at: Timestamp::from_ms(1),
            updated_at: Timestamp::from_ms(2),
            kept: vec![Kept { version: 1, charge: 300 }],
            schema: Some("true".to_owned()),
        };
        assert!(!format!("{entry:?}").contains("planted"));
        assert_eq!(entry.charge(), 256 + 11 + 19 + 16 + 9 + 4);
        assert_eq!(entry.charge_in_all(), entry.charge() + 300);
    }
}
