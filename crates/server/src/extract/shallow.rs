//! Reads as much of a JSON body as is needed to say what is wrong with it: the fields that are known, and
//! of arrays and objects in them only that they are there. So a refused body never costs more memory than
//! it has bytes, where parsing it whole would cost many times that.

use std::borrow::Cow;
use std::fmt;

use coffer_api::contract::validation::Field;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_path_to_error::{Segment, Track};

/// Why a body is no JSON.
#[derive(Debug)]
pub(super) struct Refused<'a> {
    /// The parser's reason.
    pub(super) error: serde_json::Error,
    /// The known field in which it stopped.
    pub(super) field: Option<&'a str>,
}

/// The value in `bytes`, cut down to `fields`.
pub(super) fn parse<'a>(bytes: &[u8], fields: &'a [Field]) -> Result<Value, Refused<'a>> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let mut track = Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let value = Shallow { fields }.deserialize(tracked).map_err(|error| {
        let path = track.path();
        let stopped_in =
            |field: &&Field| matches!(path.iter().next(), Some(Segment::Map { key }) if key == field.name);
        Refused { error, field: fields.iter().find(stopped_in).map(|field| field.name) }
    })?;
    deserializer.end().map_err(|error| Refused { error, field: None })?;
    Ok(value)
}

/// A value of which only these fields are kept.
struct Shallow<'a> {
    fields: &'a [Field],
}

impl<'de> DeserializeSeed<'de> for Shallow<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shallow<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Array(Vec::new()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = entries.next_key::<Cow<'_, str>>()? {
            if self.fields.iter().any(|field| field.name == name) {
                kept.insert(name.into_owned(), entries.next_value_seed(Shallow { fields: &[] })?);
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Value::Object(kept))
    }
}

#[cfg(test)]
mod tests {
    use coffer_api::contract::kms::Credentials;
    use coffer_api::contract::validation::Request as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_known_fields_are_kept_and_nothing_deeper() {
        let text = r#"{"email":[1,[2,{"a":3}]],"x":{"y":1},"password":{"email":"b"},"email\u0032":7}"#;
        assert_eq!(
            parse(text.as_bytes(), Credentials::FIELDS).unwrap(),
            json!({ "email": [], "password": {} })
        );
        let text = r#"{"email":"é","password":-1.5}"#;
        assert_eq!(
            parse(text.as_bytes(), Credentials::FIELDS).unwrap(),
            json!({ "email": "é", "password": -1.5 })
        );
        assert_eq!(parse(b"[1,2]", Credentials::FIELDS).unwrap(), json!([]));
        assert_eq!(parse(b"null", Credentials::FIELDS).unwrap(), json!(null));
    }

    #[test]
    fn what_is_no_json_is_an_error_wherever_it_stands() {
        for text in ["{", "{} {}", r#"{"x":[1,}"#, r#"{"email":tru}"#, "\u{feff}{}"] {
            assert!(parse(text.as_bytes(), Credentials::FIELDS).is_err(), "{text:?}");
        }
    }
}
