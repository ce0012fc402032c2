//! The contract of encrypted configuration: creating, reading, changing, deleting and listing what belongs to the
//! user key in the header [`USER_KEY`].
//!
//! Clients of three generations call it. The first knows keys alone; the second sends an `environment` as an attribute
//! in the body; the third identifies by key and environment, in the query where there is no body to create from.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::validation::{Field, Kind, Request, Violation};
use coffer_core::Timestamp;

/// `POST` [`CreateConfig`] → 201 [`Config`]. `GET` with [`ListQuery`] → a list of [`Config`].
pub const CONFIGS: &str = "/configs";
/// `GET`, `PUT` [`UpdateConfig`] and `DELETE`, with [`OneQuery`]. The rest of the path, its escapes undone once, is
/// the key.
pub const CONFIG: &str = "/configs/{key:.*}";
/// `POST` [`Rekey`] → [`Done`]. For other methods it is a key like any other.
pub const REKEY: &str = "/configs/rekey";
/// `GET`, unless a page is asked for → [`About`].
pub const ABOUT: &str = "/";
/// `GET` → [`ClusterStatus`].
pub const CLUSTER_STATUS: &str = "/cluster/status";
/// `GET` → [`ClusterHealth`].
pub const CLUSTER_HEALTH: &str = "/cluster/health";

/// The environment of what names none.
pub const DEFAULT_ENVIRONMENT: &str = "default";

/// The request header with the user key.
pub const USER_KEY: &str = "x-user-key";
/// The request header with an API key, where the deployment asks for one.
pub const API_KEY: &str = "x-api-key";
/// The response header with advice about a weak user key.
pub const KEY_ADVICE: &str = "coffer-key-advice";

/// A key, in characters.
pub const KEY_CHARS_MAX: usize = 255;
/// A category, in characters.
pub const CATEGORY_CHARS_MAX: usize = 100;
/// The name of an environment, in characters.
pub const ENVIRONMENT_CHARS_MAX: usize = 100;
/// A user key, in characters.
pub const USER_KEY_CHARS_MIN: usize = 8;
/// A user key, in bytes.
pub const USER_KEY_BYTES_MAX: usize = 1024;

/// Body of `POST /configs`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateConfig {
    /// The key: 1 to 255 characters.
    #[schema(max_length = 255)]
    #[serde(deserialize_with = "key")]
    pub key: String,
    /// The value: any JSON, kept as it was written.
    #[schema(value_type = Object)]
    pub value: Box<RawValue>,
    /// At most 100 characters.
    #[serde(default, deserialize_with = "category")]
    pub category: Option<String>,
    /// The environment; the default one if not given.
    #[serde(default, deserialize_with = "environment")]
    pub environment: Option<String>,
}

/// Body of `PUT /configs/{key}`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct UpdateConfig {
    /// The value: any JSON, kept as it was written.
    #[schema(value_type = Object)]
    pub value: Box<RawValue>,
    /// The category; the one that there is if not given.
    #[serde(default, deserialize_with = "category")]
    pub category: Option<String>,
    /// The environment that it moves to; it stays where it is if not given.
    #[serde(default, deserialize_with = "environment")]
    pub environment: Option<String>,
}

/// Query of the calls about one configuration.
#[derive(Debug, Default, Deserialize)]
pub struct OneQuery {
    /// The environment. Without it the key's only configuration is meant, or else that in the default environment.
    #[serde(default, deserialize_with = "environment")]
    pub environment: Option<String>,
}

/// Query of `GET /configs`.
#[derive(Debug, Default, Deserialize)]
pub struct ListQuery {
    /// Only of this category.
    #[serde(default)]
    pub category: Option<String>,
    /// Only of this environment.
    #[serde(default)]
    pub environment: Option<String>,
}

/// Body of `POST /configs/rekey`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Rekey {
    /// The user key that opens everything from now on: at least 8 characters.
    #[schema(value_type = String, min_length = 8)]
    #[serde(deserialize_with = "user_key")]
    pub new_user_key: crate::WireSecret,
}

/// A configuration.
#[derive(Debug, Serialize, ToSchema)]
pub struct Config<'a> {
    /// Its number; never used again, also when it is deleted.
    pub id: u64,
    /// The key.
    pub key: &'a str,
    /// The value.
    #[schema(value_type = Object)]
    pub value: &'a RawValue,
    /// The category, if it has one.
    pub category: Option<&'a str>,
    /// The environment.
    pub environment: &'a str,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When its value was stored.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// Something was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// What.
    pub message: String,
}

/// What this service is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct About {
    /// `OpenSecureConf API`.
    pub service: &'static str,
    /// The version of the server.
    pub version: &'static str,
    /// What it offers.
    pub features: &'static [&'static str],
    /// Its calls, by name.
    #[schema(value_type = Object)]
    pub endpoints: serde_json::Value,
}

/// Clients ask about a cluster; replicas here share their storage and know nothing of each other.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct ClusterStatus {
    /// Always false.
    pub enabled: bool,
    /// `standalone`.
    pub mode: &'static str,
    /// Always 1.
    pub total_nodes: u32,
    /// Always 1.
    pub healthy_nodes: u32,
}

/// Whether the node that answers is well.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct ClusterHealth {
    /// `healthy`.
    pub status: &'static str,
}

fn check(text: &str, chars_max: usize) -> Result<(), Violation> {
    // A character has at least a byte, so most texts are not counted.
    if text.len() > chars_max && text.chars().count() > chars_max {
        return Err(Violation::too_long(chars_max, "characters"));
    }
    Ok(())
}

fn not_empty(text: &str, chars_max: usize) -> Result<(), Violation> {
    if text.is_empty() { Err(Violation::too_short()) } else { check(text, chars_max) }
}

/// Whether a text can be a key.
pub fn check_key(text: &str) -> Result<(), Violation> {
    not_empty(text, KEY_CHARS_MAX)
}

/// Whether a text can be a category.
pub fn check_category(text: &str) -> Result<(), Violation> {
    check(text, CATEGORY_CHARS_MAX)
}

/// Whether a text can be the name of an environment.
pub fn check_environment(text: &str) -> Result<(), Violation> {
    not_empty(text, ENVIRONMENT_CHARS_MAX)
}

/// Whether a text can be a user key: every request has to carry it in a header, which has no control characters and
/// loses spaces at its ends. One that no request could carry would lock its owner out for good.
pub fn check_user_key(text: &str) -> Result<(), Violation> {
    if text.chars().count() < USER_KEY_CHARS_MIN {
        return Err(Violation::value("a user key has at least 8 characters"));
    }
    if text.len() > USER_KEY_BYTES_MAX {
        return Err(Violation::too_long(USER_KEY_BYTES_MAX, "bytes"));
    }
    if text.chars().any(char::is_control) || text.starts_with(' ') || text.ends_with(' ') {
        return Err(Violation::value("a user key has no control characters, and no spaces at its ends"));
    }
    Ok(())
}

fn checked<'de, D>(
    text: Option<String>,
    check: fn(&str) -> Result<(), Violation>,
) -> Result<Option<String>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    match text.as_deref().map_or(Ok(()), check) {
        Ok(()) => Ok(text),
        Err(violation) => Err(serde::de::Error::custom(violation.msg)),
    }
}

fn key<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    check_key(&text).map_err(|violation| serde::de::Error::custom(violation.msg))?;
    Ok(text)
}

fn category<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    checked::<D>(Option::deserialize(deserializer)?, check_category)
}

fn environment<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    checked::<D>(Option::deserialize(deserializer)?, check_environment)
}

fn user_key<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<crate::WireSecret, D::Error> {
    let secret = crate::WireSecret::deserialize(deserializer)?;
    check_user_key(secret.expose()).map_err(|violation| serde::de::Error::custom(violation.msg))?;
    Ok(secret)
}

const VALUE: Field = Field { name: "value", kind: Kind::Any, required: true, secret: true };
const CATEGORY: Field = Field::text("category", check_category).optional();
const ENVIRONMENT: Field = Field::text("environment", check_environment).optional();

impl Request for CreateConfig {
    const FIELDS: &'static [Field] = &[Field::text("key", check_key), VALUE, CATEGORY, ENVIRONMENT];
}

impl Request for UpdateConfig {
    const FIELDS: &'static [Field] = &[VALUE, CATEGORY, ENVIRONMENT];
}

impl Request for OneQuery {
    const FIELDS: &'static [Field] = &[ENVIRONMENT];
}

impl Request for ListQuery {
    const FIELDS: &'static [Field] =
        &[Field::text("category", |_| Ok(())).optional(), Field::text("environment", |_| Ok(())).optional()];
}

impl Request for Rekey {
    const FIELDS: &'static [Field] = &[Field::text("new_user_key", check_user_key).secret()];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(text: &str) -> Result<CreateConfig, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn a_value_of_any_type_is_kept_as_it_was_written() {
        let read = create(r#"{"key":"k","value":{"b": 1.50,"a":[ ]},"category":null,"more":1}"#).unwrap();
        assert_eq!((read.key.as_str(), read.value.get()), ("k", r#"{"b": 1.50,"a":[ ]}"#));
        assert!(read.category.is_none() && read.environment.is_none());
        for value in ["null", "true", "\"\"", "[]", "12345678901234567890123"] {
            assert_eq!(create(&format!(r#"{{"key":"k","value":{value}}}"#)).unwrap().value.get(), value);
        }
    }

    #[test]
    fn a_new_user_key_is_as_long_as_any() {
        let rekey =
            |key: &str| serde_json::from_value::<Rekey>(serde_json::json!({ "new_user_key": key })).is_ok();
        assert!(rekey("8 chars!") && rekey(&"é".repeat(USER_KEY_BYTES_MAX / 2)));
        for lost in [" 8 chars!", "8 chars! ", "8 chars!\n", "8\u{0}chars!", "8\tchars!", "8 chars\u{85}!"] {
            assert!(!rekey(lost), "{lost:?} is in no header as it is");
        }
        assert!(!rekey("7 chars") && !rekey(&"é".repeat(USER_KEY_BYTES_MAX / 2 + 1)));
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let of = |key: &str, category: &str, environment: &str| {
            let body = serde_json::json!({ "key": key, "value": 1, "category": category, "environment": environment });
            create(&body.to_string()).is_ok()
        };
        let (key, name) = ("é".repeat(KEY_CHARS_MAX), "é".repeat(CATEGORY_CHARS_MAX));
        assert!(of(&key, &name, &name) && of("k", "", "e"));
        assert!(!of(&format!("{key}x"), "c", "e") && !of("", "c", "e"));
        assert!(
            !of("k", &format!("{name}x"), "e") && !of("k", "c", &format!("{name}x")) && !of("k", "c", "")
        );
    }
}
