//! Documents in JSON. Values are kept to the letter.

use serde_json::value::RawValue;

use super::shape::{self, Shape};
use super::{Document, DocumentError};

pub(super) fn write(document: &Document) -> Result<String, DocumentError> {
    let shape = shape::of::<Box<RawValue>>(document, |_| true);
    let mut text = serde_json::to_string_pretty(&shape).map_err(|_| DocumentError::Unwritable)?;
    text.push('\n');
    Ok(text)
}

pub(super) fn read(text: &str) -> Result<Document, DocumentError> {
    let shape: Shape<Box<RawValue>> = serde_json::from_str(text).map_err(|error| DocumentError::Place {
        line: error.line(),
        column: error.column(),
        what: if error.is_data() { "this is not what a document has here" } else { "this is not JSON" },
    })?;
    shape::document(shape)
}
