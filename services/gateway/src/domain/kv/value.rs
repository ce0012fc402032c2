//! Values: what a caller stores, and its stored form.

use std::fmt;

use bytes::Bytes;
use coffer_compression::{FRAME_OVERHEAD_BYTES, compress_frame, decompress_bounded, store_frame};
use serde_json::value::RawValue;

use super::KvError;
use crate::repo::kv::Head;

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A JSON text.
    Json,
    /// Bytes.
    Bytes {
        /// What they are, as the caller says.
        content_type: String,
    },
}

/// A value in the clear. `Debug` shows only how long it is.
#[derive(Clone, PartialEq, Eq)]
pub struct PlainValue {
    kind: Kind,
    bytes: Bytes,
}

impl PlainValue {
    /// A JSON value, kept as it was written.
    pub fn json(text: Box<RawValue>) -> Self {
        Self { kind: Kind::Json, bytes: Bytes::from(String::from(Box::<str>::from(text)).into_bytes()) }
    }

    /// Bytes of some type.
    pub fn bytes(content_type: String, bytes: Bytes) -> Self {
        Self { kind: Kind::Bytes { content_type }, bytes }
    }

    /// What it is.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The JSON text, or the bytes.
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The JSON text; nothing if the value is bytes.
    pub fn as_json(&self) -> Option<&str> {
        match self.kind {
            Kind::Json => std::str::from_utf8(&self.bytes).ok(),
            Kind::Bytes { .. } => None,
        }
    }

    pub(super) fn of(kind: Kind, bytes: Vec<u8>) -> Self {
        Self { kind, bytes: bytes.into() }
    }
}

impl fmt::Debug for PlainValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlainValue({:?}, {} bytes)", self.kind, self.bytes.len())
    }
}

/// A value as it is stored, before sealing.
pub(super) struct Packed {
    /// A frame of `coffer_compression`.
    pub(super) frame: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) encrypt: bool,
    pub(super) compress: bool,
    pub(super) plain_bytes: usize,
}

impl Packed {
    pub(super) fn pack(value: &PlainValue, encrypt: bool, compress: bool) -> Self {
        let mut frame = Vec::new();
        if compress {
            compress_frame(&value.bytes, &mut frame);
        } else {
            frame.reserve_exact(value.bytes.len() + FRAME_OVERHEAD_BYTES);
            store_frame(&value.bytes, &mut frame);
        }
        Self { frame, kind: value.kind.clone(), encrypt, compress, plain_bytes: value.bytes.len() }
    }

    /// Bytes of the value as it is stored.
    pub(super) fn stored_bytes(&self) -> usize {
        self.frame.len() - FRAME_OVERHEAD_BYTES
    }

    /// A compressed frame is always shorter than its plaintext, and no other is.
    pub(super) fn is_compressed(&self) -> bool {
        self.stored_bytes() < self.plain_bytes
    }
}

/// The value in a stored frame.
pub(super) fn unpack(head: &Head, frame: &[u8]) -> Result<PlainValue, KvError> {
    let bytes_max = usize::try_from(head.plain_bytes).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    decompress_bounded(frame, bytes_max, &mut bytes).map_err(KvError::Frame)?;
    Ok(PlainValue::of(kind_of(head), bytes))
}

pub(super) fn kind_of(head: &Head) -> Kind {
    match &head.content_type {
        None => Kind::Json,
        Some(content_type) => Kind::Bytes { content_type: content_type.clone() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_does_not_shrink_is_stored_as_it_is() {
        let text = PlainValue::bytes("text/plain".to_owned(), Bytes::from("the same ".repeat(50)));
        let packed = Packed::pack(&text, true, true);
        assert!(packed.is_compressed() && packed.stored_bytes() < 100);
        assert!(!Packed::pack(&text, true, false).is_compressed());
        let short = PlainValue::json(RawValue::from_string("7".to_owned()).unwrap());
        let packed = Packed::pack(&short, true, true);
        assert_eq!((packed.is_compressed(), packed.stored_bytes()), (false, 1));
    }

    #[test]
    fn debug_does_not_show_a_value() {
        let value = PlainValue::bytes("text/plain".to_owned(), Bytes::from_static(b"planted"));
        assert!(!format!("{value:?}").contains("planted"));
    }
}
