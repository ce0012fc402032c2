//! Documents in YAML.
//!
//! What is read is bounded by the parser's budget: depth, aliases, and what they are expanded to. Of the words that older
//! versions of YAML take for booleans only `true` and `false` are; what is written is quoted so that older readers
//! take it for what it is.

use serde_saphyr::options::NonFiniteFloatPolicy;

use super::plain::Plain;
use super::shape::{self, Shape};
use super::{Document, DocumentError};

pub(super) fn write(document: &Document) -> Result<String, DocumentError> {
    let shape = shape::of::<Plain>(document, fits);
    serde_saphyr::to_string(&shape).map_err(|_| DocumentError::Unwritable)
}

/// Whether a value comes back from YAML as it is.
fn fits(value: &Plain) -> bool {
    // As deep as it will stand: in the field of a configuration among configurations.
    let Ok(text) = serde_saphyr::to_string(&[[[value]]]) else { return false };
    parse::<[[[Plain; 1]; 1]; 1]>(&text).is_ok_and(|[[[back]]]| back == *value)
}

pub(super) fn read(text: &str) -> Result<Document, DocumentError> {
    let shape: Shape<Plain> = parse(text).map_err(|error| {
        let what = "this is not YAML, or not what a document has here";
        match error.location() {
            Some(place) => DocumentError::Place {
                line: usize::try_from(place.line()).unwrap_or(0),
                column: usize::try_from(place.column()).unwrap_or(0),
                what,
            },
            None => DocumentError::Text(what),
        }
    })?;
    shape::document(shape)
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, serde_saphyr::Error> {
    // Every node has a byte of its own, so a document within its limit is within this.
    let (max_nodes, max_events) = (text.len().max(1024), text.len().max(1024) * 2);
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: max_nodes, max_events: max_events },
        strict_booleans: true,
        non_finite_float_policy: NonFiniteFloatPolicy::Reject,
        // A snippet would repeat values.
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
}
