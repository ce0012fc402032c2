//! How two values differ.
//!
//! JSON is compared by structure: each difference is the path (a JSON Pointer, RFC 6901) of a value that was added,
//! removed or replaced, as in a JSON Patch (RFC 6902). Items of arrays are compared by their place. Anything else is
//! compared by length and hash.
//!
//! What is not written the same is never called equal but for what means nothing in any JSON: white space, the order of
//! fields, and escapes in texts. Numbers are compared as they are written. An object in which a name stands twice means
//! different things to different readers, so it is compared as a whole. The road not taken: reading both into values of a
//! library, which keep 64 bits of a number and the last of two fields.

mod index;
mod walk;

use coffer_crypto::hash::sha256;
use serde_json::value::RawValue;

use super::value::{Kind, PlainValue};
use index::Index;
use walk::Walk;

/// Differences that are told, at most.
pub const DIFFERENCES_MAX: usize = 10_000;
/// Larger values, in bytes, are compared by length and hash: to compare them by structure takes several times as much memory.
const COMPARED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How two values differ.
#[derive(Clone, Debug)]
pub enum Difference {
    /// Both are JSON.
    Json {
        /// What differs, in the order of the paths.
        edits: Vec<Edit>,
        /// Whether there is more than was told.
        is_cut: bool,
    },
    /// One of them is bytes.
    Bytes {
        /// The one.
        from: Digest,
        /// The other.
        to: Digest,
    },
}

/// What differs at one place.
#[derive(Clone, Debug)]
pub enum Edit {
    /// There is a value now.
    Added {
        /// Where.
        path: String,
        /// The value.
        value: Box<RawValue>,
    },
    /// There is no value any more.
    Removed {
        /// Where.
        path: String,
        /// The value that was there.
        value: Box<RawValue>,
    },
    /// There is another value.
    Replaced {
        /// Where.
        path: String,
        /// The value that was there.
        from: Box<RawValue>,
        /// The value that is there.
        to: Box<RawValue>,
    },
}

/// What is told of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The type, or none if it is JSON.
    pub content_type: Option<String>,
    /// How many there are.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

/// How two values differ.
pub fn differences(from: &PlainValue, to: &PlainValue) -> Difference {
    let Some((old, new)) = text_of(from).and_then(Index::of).zip(text_of(to).and_then(Index::of)) else {
        return Difference::Bytes { from: digest(from), to: digest(to) };
    };
    let mut walk = Walk::of(&old, &new);
    walk.compare(&mut String::new(), (0, 0), 0);
    Difference::Json { edits: walk.edits, is_cut: walk.is_cut }
}

/// Bytes of memory that it takes to compare two values and to tell how they differ, besides the values.
pub(super) fn comparing_bytes(from: &PlainValue, to: &PlainValue) -> usize {
    let each = [from, to].map(|value| text_of(value).map_or(0, |text| Index::bytes(text) + 3 * text.len()));
    each.iter().sum()
}

/// The text of a value that is compared by structure.
fn text_of(value: &PlainValue) -> Option<&str> {
    value.as_json().filter(|text| text.len() <= COMPARED_BYTES_MAX)
}

fn digest(value: &PlainValue) -> Digest {
    let content_type = match value.kind() {
        Kind::Json => None,
        Kind::Bytes { content_type } => Some(content_type.clone()),
    };
    Digest { content_type, bytes: value.as_bytes().len() as u64, sha256: sha256(value.as_bytes()) }
}

#[cfg(test)]
mod tests;
