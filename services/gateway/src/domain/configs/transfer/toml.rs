//! Documents in TOML. Its dates and times are read as texts.

use serde_json::Value;
use toml::Value as Native;

use super::plain::Plain;
use super::shape::{self, Shape};
use super::{Document, DocumentError};

pub(super) fn write(document: &Document) -> Result<String, DocumentError> {
    let shape = shape::of::<Plain>(document, fits);
    // By way of a table, which puts plain values before tables, as TOML wants them.
    let table = Native::try_from(&shape).map_err(|_| DocumentError::Unwritable)?;
    toml::to_string_pretty(&table).map_err(|_| DocumentError::Unwritable)
}

/// Whether a value comes back from TOML as it is.
fn fits(Plain(value): &Plain) -> bool {
    let alone = || {
        // As deep as it will stand: in the field of a configuration among configurations.
        let one = |inner: Native| Native::Table(std::iter::once(("v".to_owned(), inner)).collect());
        let text = toml::to_string_pretty(&one(one(one(Native::try_from(value).ok()?)))).ok()?;
        let back: toml::Table = toml::from_str(&text).ok()?;
        json(back.get("v")?.get("v")?.get("v")?.clone())
    };
    alone().is_some_and(|back| back == *value)
}

pub(super) fn read(text: &str) -> Result<Document, DocumentError> {
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let before = text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        DocumentError::Place { line, column, what: "this is not TOML" }
    })?;
    let value = json(Native::Table(table)).ok_or(DocumentError::Text("a number in it is none in JSON"))?;
    let shape: Shape<Plain> = serde_json::from_value(value)
        .map_err(|_| DocumentError::Text("this is TOML, but not what a document has"))?;
    shape::document(shape)
}

/// A value as JSON has it; nothing for numbers that JSON does not have.
fn json(value: Native) -> Option<Value> {
    Some(match value {
        Native::String(text) => Value::String(text),
        Native::Integer(number) => number.into(),
        Native::Float(number) => Value::Number(serde_json::Number::from_f64(number)?),
        Native::Boolean(flag) => flag.into(),
        Native::Datetime(moment) => Value::String(moment.to_string()),
        Native::Array(items) => Value::Array(items.into_iter().map(json).collect::<Option<_>>()?),
        Native::Table(table) => {
            let field = |(name, value)| Some((name, json(value)?));
            Value::Object(table.into_iter().map(field).collect::<Option<_>>()?)
        }
    })
}
