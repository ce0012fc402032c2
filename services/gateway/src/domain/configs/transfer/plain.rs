//! JSON values that are what they say.
//!
//! `serde_json` takes an object with one field of a private name for a number or a raw text of its own. Whoever stores
//! such an object would have it read as something else than what it is, so values are read without that here.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Number, Value};

/// A value, read field by field.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub(in crate::domain::configs) struct Plain(pub(in crate::domain::configs) Value);

/// The value of a JSON text.
pub(in crate::domain::configs) fn parse(json: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(json).map(|Plain(value)| value)
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Plain, E> {
        Ok(Plain(Value::Bool(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Plain, E> {
        Ok(Plain(Value::Number(number.into())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Plain, E> {
        Ok(Plain(Value::Number(number.into())))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Plain, E> {
        let number = Number::from_f64(number).ok_or_else(|| E::custom("a number that JSON does not have"))?;
        Ok(Plain(Value::Number(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Plain, E> {
        Ok(Plain(Value::String(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Plain, E> {
        Ok(Plain(Value::String(text)))
    }

    fn visit_none<E>(self) -> Result<Plain, E> {
        Ok(Plain(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Plain, D::Error> {
        Plain::deserialize(deserializer)
    }

    fn visit_unit<E>(self) -> Result<Plain, E> {
        Ok(Plain(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Plain, A::Error> {
        let mut list = Vec::new();
        while let Some(Plain(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Plain(Value::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Plain, A::Error> {
        let mut object = Map::new();
        while let Some((name, Plain(value))) = fields.next_entry::<String, Plain>()? {
            object.insert(name, value);
        }
        Ok(Plain(Value::Object(object)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_an_object_whatever_its_fields_are_called() {
        for text in [
            r#"{"$serde_json::private::RawValue":"5"}"#,
            r#"{"$serde_json::private::Number":"5"}"#,
            r#"[{"a":{"$serde_json::private::RawValue":"{}"}}]"#,
        ] {
            let value = parse(text).unwrap();
            assert!(value.is_object() || value[0]["a"].is_object(), "{value}");
            assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn everything_else_is_what_serde_json_reads() {
        for text in [
            "null",
            "true",
            "-1",
            "18446744073709551615",
            "1.5",
            "-0.0",
            r#""\u00e9""#,
            r#"[1,{"b":[],"a":null}]"#,
        ] {
            assert_eq!(parse(text).unwrap(), serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err(), "no deeper than the stack allows");
    }
}
