//! The shape that JSON, YAML and TOML share.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::plain::Plain;
use super::{Document, DocumentError, Item, numbers};

/// The version of the shape.
const VERSION: u32 = 1;

/// A document whose values are `V`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shape<V> {
    coffer_configs: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    configs: Unique<Entry<V>>,
}

/// Entries by key, none twice.
#[derive(Serialize)]
#[serde(transparent)]
struct Unique<E>(BTreeMap<String, E>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "V: Deserialize<'de>"))]
struct Entry<V> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    #[serde(default = "none", deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    value: Option<V>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    json: Option<String>,
    #[serde(default = "none", deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    schema: Option<V>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schema_json: Option<String>,
}

fn none<V>() -> Option<V> {
    None
}

/// A value that is there, also if it is `null`.
fn some<'de, V: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<V>, D::Error> {
    V::deserialize(deserializer).map(Some)
}

impl<'de, E: Deserialize<'de>> Deserialize<'de> for Unique<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<E>(PhantomData<E>);
        impl<'de, E: Deserialize<'de>> Visitor<'de> for Entries<E> {
            type Value = Unique<E>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("configurations by key")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique<E>, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((key, entry)) = map.next_entry()? {
                    if entries.insert(key, entry).is_some() {
                        return Err(A::Error::custom("a key is there twice"));
                    }
                }
                Ok(Unique(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// A value that a format can say or not.
pub(super) trait Native: Sized {
    /// The value of this JSON, if it can be had exactly.
    fn of(json: &str) -> Option<Self>;

    /// The JSON of a value.
    fn json(self) -> String;
}

impl Native for Plain {
    fn of(json: &str) -> Option<Self> {
        numbers::are_exact(json).then(|| serde_json::from_str(json).ok()).flatten()
    }

    fn json(self) -> String {
        self.0.to_string()
    }
}

impl Native for Box<RawValue> {
    fn of(json: &str) -> Option<Self> {
        RawValue::from_string(json.to_owned()).ok()
    }

    fn json(self) -> String {
        self.get().to_owned()
    }
}

/// The shape of a document. What `fits` refuses goes as a text.
pub(super) fn of<V: Native>(document: &Document, fits: impl Fn(&V) -> bool) -> Shape<V> {
    let said = |json: &String| {
        let value = V::of(json).filter(&fits);
        let text = value.is_none().then(|| json.clone());
        (value, text)
    };
    let entry = |item: &Item| {
        let (value, json) = said(&item.value);
        let (schema, schema_json) = item.schema.as_ref().map_or((None, None), said);
        (item.key.clone(), Entry { category: item.category.clone(), value, json, schema, schema_json })
    };
    Shape {
        coffer_configs: VERSION,
        salt: document.salt.map(|salt| STANDARD.encode(salt)),
        environment: document.environment.clone(),
        configs: Unique(document.items.iter().map(entry).collect()),
    }
}

/// The document of a shape.
pub(super) fn document<V: Native>(shape: Shape<V>) -> Result<Document, DocumentError> {
    if shape.coffer_configs != VERSION {
        return Err(DocumentError::Text("`coffer_configs` is not 1"));
    }
    let salt_in = |text: String| {
        let salt = STANDARD.decode(text).ok().and_then(|salt| salt.try_into().ok());
        salt.ok_or(DocumentError::Text("`salt` is not 64 bytes in base64"))
    };
    Ok(Document {
        salt: shape.salt.map(salt_in).transpose()?,
        environment: shape.environment,
        items: shape.configs.0.into_iter().map(item).collect::<Result<_, _>>()?,
    })
}

fn item<V: Native>((key, entry): (String, Entry<V>)) -> Result<Item, DocumentError> {
    let is_json = |text: &str| serde_json::from_str::<&RawValue>(text).is_ok();
    let Entry { category, value, json, schema, schema_json } = entry;
    let value = match (value, json) {
        (Some(value), None) => value.json(),
        (None, Some(json)) if is_json(&json) => json,
        (None, Some(_)) => return Err(DocumentError::Item { key, what: "`json` is not JSON" }),
        _ => return Err(DocumentError::Item { key, what: "it has one of `value` and `json`" }),
    };
    let schema = match (schema, schema_json) {
        (None, None) => None,
        (Some(schema), None) => Some(schema.json()),
        (None, Some(json)) if is_json(&json) => Some(json),
        (None, Some(_)) => return Err(DocumentError::Item { key, what: "`schema_json` is not JSON" }),
        _ => return Err(DocumentError::Item { key, what: "it has one of `schema` and `schema_json`" }),
    };
    Ok(Item { key, category, value, schema })
}
