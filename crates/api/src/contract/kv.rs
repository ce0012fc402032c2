//! The key-value contract: storing, retrieving, deleting and listing a caller's keys.

use std::fmt;

use coffer_core::limits::KEY_BYTES_MAX;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::validation::{Field, Kind, Request, Violation};

/// `POST` [`Store`] → [`Stored`].
pub const STORE: &str = "/store";
/// `GET` → [`Stored`]. The rest of the path, its escapes undone once, is the key: also `/` and `..` in it.
pub const RETRIEVE: &str = "/retrieve/{key:.*}";
/// `DELETE` → [`Deleted`]. The key as in [`RETRIEVE`].
pub const DELETE: &str = "/delete/{key:.*}";
/// `GET` → [`Keys`].
pub const KEYS: &str = "/keys";

/// Body of `/store`.
#[derive(Debug, ToSchema)]
pub struct Store {
    /// The key: any text of 1 to 1024 bytes.
    #[schema(max_length = 1024)]
    pub key: String,
    /// The value, kept as it was written.
    #[schema(value_type = Object)]
    pub value: Box<RawValue>,
    /// Recorded and reported; the value is sealed in any case.
    #[schema(default = true)]
    pub encrypt: bool,
    /// Whether to compress the value if that makes it shorter.
    #[schema(default = true)]
    pub compress: bool,
}

/// Reads the object by hand: of a name that stands twice the last one counts, as in the original, and a value is
/// never looked into.
impl<'de> Deserialize<'de> for Store {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StoreVisitor)
    }
}

struct StoreVisitor;

impl<'de> Visitor<'de> for StoreVisitor {
    type Value = Store;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a key and a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Store, A::Error> {
        let (mut key, mut value, mut encrypt, mut compress) = (None::<String>, None, None, None);
        while let Some(name) = entries.next_key::<String>()? {
            match name.as_str() {
                "key" => key = Some(entries.next_value()?),
                "value" => value = Some(entries.next_value()?),
                "encrypt" => encrypt = entries.next_value()?,
                "compress" => compress = entries.next_value()?,
                _ => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        let missing = <A::Error as serde::de::Error>::missing_field;
        let key = key.ok_or_else(|| missing("key"))?;
        check_key(&key).map_err(|violation| serde::de::Error::custom(violation.msg))?;
        let value = value.ok_or_else(|| missing("value"))?;
        Ok(Store { key, value, encrypt: encrypt.unwrap_or(true), compress: compress.unwrap_or(true) })
    }
}

/// Whether a text can be a key.
pub fn check_key(text: &str) -> Result<(), Violation> {
    match text.len() {
        0 => Err(Violation::too_short()),
        length if length > KEY_BYTES_MAX => Err(Violation::too_long(KEY_BYTES_MAX, "bytes")),
        _ => Ok(()),
    }
}

impl Request for Store {
    const FIELDS: &'static [Field] = &[
        Field::text("key", check_key),
        Field { name: "value", kind: Kind::Any, required: true, secret: true },
        Field { name: "encrypt", kind: Kind::Boolean, required: false, secret: false },
        Field { name: "compress", kind: Kind::Boolean, required: false, secret: false },
    ];
}

/// Answer of `/store` and `/retrieve/{key}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stored<'a> {
    /// The key.
    pub key: &'a str,
    /// The value. One that was stored as bytes is a text: as it is if its type is `text/…`, else in base64.
    #[schema(value_type = Object)]
    pub value: &'a RawValue,
    /// When the value was stored: ISO 8601 with offset.
    pub timestamp: String,
    /// Whether encryption was asked for. (The value is sealed all the same.)
    pub encrypted: bool,
    /// Whether the value is stored compressed.
    pub compressed: bool,
    /// Bytes of the value as it is stored, before sealing.
    pub size_bytes: u64,
    /// How long the server took, in milliseconds.
    pub duration_ms: f64,
}

/// Answer of `/delete/{key}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deleted {
    /// `Key '…' deleted successfully`.
    pub message: String,
}

/// Answer of `/keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Keys {
    /// All keys of the caller, in the order of their bytes.
    pub keys: Vec<String>,
    /// How many there are.
    pub count: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(text: &str) -> Result<Store, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn a_value_is_kept_as_it_was_written_and_of_a_name_given_twice_the_last_counts() {
        let read = store(r#"{"key":"k", "value":[1], "value":{"b": 1.50,"a":[ ]}, "more":[{}]}"#).unwrap();
        assert_eq!((read.key.as_str(), read.value.get()), ("k", r#"{"b": 1.50,"a":[ ]}"#));
        assert!(read.encrypt && read.compress);
        let read = store(r#"{"key":"k","value":null,"encrypt":false,"compress":null}"#).unwrap();
        assert_eq!((read.value.get(), read.encrypt, read.compress), ("null", false, true));
    }

    #[test]
    fn a_store_without_key_or_value_or_with_a_bad_key_is_none() {
        let long = format!(r#"{{"key":"{}","value":1}}"#, "a".repeat(KEY_BYTES_MAX + 1));
        for text in
            [r#"{"key":"k"}"#, r#"{"value":1}"#, r#"{"key":"","value":1}"#, r#"{"key":7,"value":1}"#, &long]
        {
            assert!(store(text).is_err(), "{text}");
        }
    }
}
