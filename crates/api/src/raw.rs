//! JSON values that travel as they are.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON value as it was written: numbers of any size, and fields that stand twice. Two are equal if they are written the
/// same.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for RawJson {}

impl fmt::Display for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl From<Box<RawValue>> for RawJson {
    fn from(text: Box<RawValue>) -> Self {
        Self(text)
    }
}

impl From<Value> for RawJson {
    fn from(value: Value) -> Self {
        Self(RawValue::from_string(value.to_string()).expect("a value is written as JSON"))
    }
}

/// A field that is there is a value, `null` as well as any other.
pub(crate) fn also_null<'de, D: Deserializer<'de>, T: From<Box<RawValue>>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(|text| Some(text.into()))
}
