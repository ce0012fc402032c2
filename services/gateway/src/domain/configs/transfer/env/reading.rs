//! Reading variables.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::super::{Document, DocumentError, Item};
use super::quoting::unquoted;
use super::{Head, MARK, Note, VERSION};

/// Where the reader is.
struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    fn wrong(&self, what: &'static str) -> DocumentError {
        DocumentError::Place { line: self.line, column: 1, what }
    }

    fn skip(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes);
        self.line += passed.matches('\n').count();
        self.rest = rest;
    }

    /// The rest of this line, and goes to the next.
    fn line(&mut self) -> &'a str {
        let line = self.rest.lines().next().unwrap_or_default();
        let end = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
        self.skip(end);
        line
    }

    fn said<T: DeserializeOwned>(&self, json: &str) -> Result<T, DocumentError> {
        serde_json::from_str(json).map_err(|_| self.wrong("the comment does not say what it should"))
    }

    /// The variable that begins here: its name and its value.
    fn variable(&mut self) -> Result<(&'a str, String), DocumentError> {
        let rest = self.rest.strip_prefix("export ").unwrap_or(self.rest);
        let (name, value) = rest.split_once('=').unwrap_or_default();
        let (name, value) = (name.trim(), value.trim_start_matches([' ', '\t']));
        let is_name = |char: char| char == '_' || char.is_ascii_alphanumeric();
        if name.is_empty() || !name.chars().all(is_name) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.wrong("this is no variable"));
        }
        let (text, length) = unquoted(value).ok_or_else(|| self.wrong("the value's quotes do not end"))?;
        self.skip(self.rest.len() - value.len() + length);
        let behind = self.line().trim_start();
        if behind.is_empty() || behind.starts_with('#') {
            Ok((name, text))
        } else {
            Err(self.wrong("something stands behind a value"))
        }
    }
}

pub(in super::super) fn read(text: &str) -> Result<Document, DocumentError> {
    let mut reader = Reader { rest: text.trim_start_matches('\u{feff}'), line: 1 };
    let (mut document, mut note, mut seen) = (Document::default(), None, std::collections::HashSet::new());
    while !reader.rest.is_empty() {
        let line = reader.rest.lines().next().unwrap_or_default();
        if line.trim().is_empty() {
            reader.line();
        } else if let Some(json) = line.strip_prefix(MARK) {
            match serde_json::from_str::<Head>(json) {
                Ok(head) if note.is_none() && document.items.is_empty() => {
                    document = headed(head).map_err(|what| reader.wrong(what))?;
                }
                _ if note.replace(reader.said::<Note>(json)?).is_some() => {
                    return Err(reader.wrong("a comment says something of no variable"));
                }
                _ => {}
            }
            reader.line();
        } else if line.trim_start().starts_with('#') {
            reader.line();
        } else {
            let at = reader.line;
            let (name, value) = reader.variable()?;
            let item = item(name, value, note.take()).map_err(|what| DocumentError::Place {
                line: at,
                column: 1,
                what,
            })?;
            if !seen.insert(item.key.clone()) {
                return Err(DocumentError::Item { key: item.key, what: "it is there twice" });
            }
            document.items.push(item);
        }
    }
    match note {
        Some(_) => Err(reader.wrong("a comment says something of no variable")),
        None => Ok(document),
    }
}

fn item(name: &str, value: String, note: Option<Note>) -> Result<Item, &'static str> {
    let json = |text: &str| serde_json::to_string(text).map_err(|_| "it cannot be a text");
    let Some(Note { key, category, json: is_json, schema }) = note else {
        return Ok(Item { key: name.to_owned(), category: None, value: json(&value)?, schema: None });
    };
    let is = |text: &str| serde_json::from_str::<&RawValue>(text).is_ok();
    // A variable that was put below the comment of another would become that one.
    if coffer_api::configs::env_name(category.as_deref(), &key) != name {
        return Err("the variable is not the one that the comment says");
    }
    let value = if !is_json {
        json(&value)?
    } else if is(&value) {
        value
    } else {
        return Err("the value is to be JSON, and is not");
    };
    if schema.as_deref().is_some_and(|schema| !is(schema)) {
        return Err("the schema is to be JSON, and is not");
    }
    Ok(Item { key, category, value, schema })
}

/// A document of which this is said.
fn headed(Head { coffer_configs, salt, environment }: Head) -> Result<Document, &'static str> {
    if coffer_configs != VERSION {
        return Err("`coffer_configs` is not 1");
    }
    let salt_in = |text: String| {
        let salt = STANDARD.decode(text).ok().and_then(|salt| salt.try_into().ok());
        salt.ok_or("`salt` is not 64 bytes in base64")
    };
    Ok(Document { salt: salt.map(salt_in).transpose()?, environment, items: Vec::new() })
}
