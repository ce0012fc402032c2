//! Documents as variables of an environment.
//!
//! ```text
//! # coffer {"coffer_configs":1,"salt":"…","environment":"staging"}
//! # coffer {"key":"host","category":"db"}
//! DB_HOST='localhost'
//! # coffer {"key":"port","category":"db","json":true}
//! DB_PORT='5432'
//! ```
//!
//! A variable is called as [`env_name`](coffer_api::configs::env_name) says; two configurations of one name are refused. Texts are what they are,
//! everything else is its JSON. That alone would not come back as what it was, so a comment before each variable says its
//! key, its category, its schema (as a text) and whether it is JSON: every reader of such files skips it, and an import goes by it.
//!
//! A variable without a comment before it is a text, under its own name as the key, without a category.

mod quoting;
mod reading;

use std::collections::HashMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_api::configs::env_name;
use serde::{Deserialize, Serialize};

use super::{Document, DocumentError, Item};
use quoting::quoted;

pub(super) use reading::read;

/// What a comment begins with that says something.
const MARK: &str = "# coffer ";
/// The version of what comments say.
const VERSION: u32 = 1;

/// What is said of a document.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    coffer_configs: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
}

/// What is said of a variable.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    json: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schema: Option<String>,
}

pub(super) fn write(document: &Document) -> Result<String, DocumentError> {
    let head = Head {
        coffer_configs: VERSION,
        salt: document.salt.map(|salt| STANDARD.encode(salt)),
        environment: document.environment.clone(),
    };
    let mut text = said(&head)?;
    let mut named: HashMap<String, &str> = HashMap::new();
    for item in &document.items {
        let name = env_name(item.category.as_deref(), &item.key);
        if let Some(one) = named.insert(name.clone(), &item.key) {
            let (one, other) = (one.to_owned(), item.key.clone());
            return Err(DocumentError::SameVariable { name, one, other });
        }
        // No variable has a NUL in it, so a text with one is said like what is no text.
        let plain = serde_json::from_str::<String>(&item.value).ok().filter(|text| !text.contains('\0'));
        let Item { key, category, schema, .. } = item.clone();
        let note = Note { key, category, json: plain.is_none(), schema };
        let value = quoted(plain.as_deref().unwrap_or(&item.value));
        writeln!(text, "{}{name}={value}", said(&note)?).map_err(|_| DocumentError::Unwritable)?;
    }
    Ok(text)
}

fn said(what: &impl Serialize) -> Result<String, DocumentError> {
    let json = serde_json::to_string(what).map_err(|_| DocumentError::Unwritable)?;
    Ok(format!("{MARK}{json}\n"))
}
