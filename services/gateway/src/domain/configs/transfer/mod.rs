//! Configurations of one environment as a text: how an export writes them and an import reads them.
//!
//! One document in four formats. JSON, YAML and TOML have the same shape:
//!
//! ```text
//! coffer_configs  1
//! salt            the deployment's, in base64
//! environment     staging
//! configs         host: { category: db, value: … }
//! ```
//!
//! A `value` is what it is in JSON: texts, numbers, booleans, lists and objects are those of the format. What a format
//! cannot say exactly (`null` in TOML; numbers that are not 64-bit integers and have over 15 digits) is written as `json`
//! instead: the JSON as a text. So every value comes back from every format as the value that it was, and from JSON as the
//! very text. Nothing is guessed: whether a format says a value exactly is tried before it is written.
//!
//! A configuration that has a JSON Schema has it as `schema`, or `schema_json` where the format cannot say it exactly.
//!
//! `.env` has variables (see [`env`]).
//!
//! The salt says from which deployment a document is. It is no secret, and nothing is opened with it: values are plain
//! here, and an import seals them anew, under whatever user key brings them.

mod env;
mod json;
mod numbers;
pub(in crate::domain::configs) mod plain;
mod shape;
#[cfg(test)]
mod tests;
mod toml;
mod yaml;

use std::fmt;

use coffer_crypto::space::SALT_BYTES;

const MIB: usize = 1024 * 1024;

/// A way to write configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON (RFC 8259).
    Json,
    /// YAML 1.2.
    Yaml,
    /// TOML 1.0.
    Toml,
    /// Variables of an environment, one to a line.
    Env,
}

/// Configurations of one environment.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The salt of the deployment that they are from.
    pub salt: Option<[u8; SALT_BYTES]>,
    /// The environment that they are from.
    pub environment: Option<String>,
    /// The configurations, each key once.
    pub items: Vec<Item>,
}

/// A configuration in a document.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// The key.
    pub key: String,
    /// The category.
    pub category: Option<String>,
    /// The value: JSON.
    pub value: String,
    /// Its JSON Schema, if it has one.
    pub schema: Option<String>,
}

/// Why something is no document, or cannot be one. Nothing of a value is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The text is wrong at this place.
    #[error("line {line}, column {column}: {what}")]
    Place {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// The text is wrong.
    #[error("{0}")]
    Text(&'static str),
    /// A configuration in it is wrong.
    #[error("configuration '{key}': {what}")]
    Item {
        /// Its key.
        key: String,
        /// What is wrong.
        what: &'static str,
    },
    /// Two configurations would be the same variable.
    #[error("configurations '{one}' and '{other}' would both be the variable {name}")]
    SameVariable {
        /// The variable.
        name: String,
        /// The one key.
        one: String,
        /// The other.
        other: String,
    },
    /// It cannot be written.
    #[error("the configurations cannot be written in this format")]
    Unwritable,
    /// It would be longer than what can be read.
    #[error(
        "in this format at most {bytes_max} bytes can be imported, and this would be more; JSON takes all"
    )]
    TooLong {
        /// The limit.
        bytes_max: usize,
    },
}

/// Whether two texts are the same JSON: numbers to the last digit that they were written with.
pub(super) fn same(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let parsed = (plain::parse(one), plain::parse(other));
    numbers::are_exact(one) && matches!(parsed, (Ok(one), Ok(other)) if one == other)
}

impl Format {
    /// The largest document, in bytes, where the format and not only the name space bounds it: its parser takes so much
    /// memory that what a person edits is the measure.
    pub fn bytes_max(self) -> Option<usize> {
        match self {
            Self::Json | Self::Env => None,
            Self::Yaml => Some(6 * MIB),
            Self::Toml => Some(MIB),
        }
    }

    /// How many bytes of memory each byte of a document may take while it is read, at worst. (A TOML document of nothing
    /// but errors has an error for each byte or two.)
    pub fn memory_factor(self) -> usize {
        match self {
            Self::Json | Self::Env => 4,
            Self::Yaml => 20,
            Self::Toml => 96,
        }
    }

    /// Writes a document that can be read again.
    pub fn write(self, document: &Document) -> Result<String, DocumentError> {
        let bytes_max = self.bytes_max().unwrap_or(usize::MAX);
        let fits =
            |bytes: usize| if bytes > bytes_max { Err(DocumentError::TooLong { bytes_max }) } else { Ok(()) };
        // Values alone first: what is much too long is not written in vain.
        fits(document.items.iter().map(|item| item.key.len() + item.value.len()).sum())?;
        let text = match self {
            Self::Json => json::write(document),
            Self::Yaml => yaml::write(document),
            Self::Toml => toml::write(document),
            Self::Env => env::write(document),
        }?;
        fits(text.len())?;
        Ok(text)
    }

    /// Reads a document.
    pub fn read(self, text: &str) -> Result<Document, DocumentError> {
        match self {
            Self::Json => json::read(text),
            Self::Yaml => yaml::read(text),
            Self::Toml => toml::read(text),
            Self::Env => env::read(text),
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} items)", self.items.len())
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Item(redacted)")
    }
}
