//! Entries: a value with what is known of it.

use std::fmt;

use coffer_core::{SecretBytes, Timestamp, UserId};
use coffer_store::records::StoreError;
use serde::{Deserialize, Serialize};
use serde_bytes::Bytes;

use super::change::Delta;

/// What is known of a value. It is sealed with the value; its revision is the version of its record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// 1 for the first value of a key, one more for each that follows.
    pub version: u64,
    /// When the key was made.
    pub created_at: Timestamp,
    /// When this value was stored.
    pub updated_at: Timestamp,
    /// Who made the key.
    pub created_by: UserId,
    /// Who stored this value.
    pub updated_by: UserId,
    /// When the key is gone, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The type of a value of bytes; none if it is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Whether the caller asked for encryption. (The value is sealed all the same.)
    pub encrypt: bool,
    /// Whether the caller asked for compression.
    pub compress: bool,
    /// Whether it made the value shorter, and so was done.
    pub compressed: bool,
    /// Bytes of the value.
    pub plain_bytes: u64,
    /// Bytes of the value as it is stored, before sealing.
    pub stored_bytes: u64,
    /// The value's parts, if it is not in the entry itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Parts>,
    /// The versions before this one that are kept, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trail: Vec<Past>,
}

impl Head {
    /// What there is of one key with this value.
    pub fn delta(&self) -> Delta {
        Delta {
            keys: 1,
            plain_bytes: i64::try_from(self.plain_bytes).unwrap_or(i64::MAX),
            stored_bytes: i64::try_from(self.stored_bytes).unwrap_or(i64::MAX),
            encrypted: i64::from(self.encrypt),
            compressed: i64::from(self.compressed),
        }
    }
}

/// Where a large value lies: in `count` parts under a random id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// The id, different for each value ever stored.
    #[serde(with = "serde_bytes")]
    pub id: [u8; 16],
    /// How many there are.
    pub count: u32,
}

/// A version of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// The revision that it had, under which the history has it.
    #[serde(rename = "r")]
    pub revision: u64,
    /// Its parts, and when they are to be removed, if it has any.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<(Parts, Timestamp)>,
}

/// An entry as it stands in its record.
#[derive(Serialize, Deserialize)]
pub struct Entry<'a> {
    /// What is known of the value.
    pub head: Head,
    /// The value as a frame of `coffer_compression`, unless it lies in parts.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub inline: Option<&'a Bytes>,
}

impl Entry<'_> {
    /// The bytes that are sealed.
    pub fn encode(&self) -> Result<SecretBytes, StoreError> {
        let inline = self.inline.map_or(0, |frame| frame.len());
        // Enough for every field, so that no grown buffer leaves a copy behind.
        let type_bytes = self.head.content_type.as_ref().map_or(0, String::len);
        let mut bytes = Vec::with_capacity(512 + inline + type_bytes + self.head.trail.len() * 64);
        match rmp_serde::encode::write_named(&mut bytes, self) {
            Ok(()) => Ok(SecretBytes::new(bytes)),
            Err(source) => Err(StoreError::Unserializable { source: Box::new(source) }),
        }
    }
}

impl<'a> Entry<'a> {
    /// The entry in opened bytes, which it borrows from.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, StoreError> {
        // The message of a decoding error can quote what it read.
        rmp_serde::from_slice(bytes).map_err(|_| StoreError::Corrupt {
            what: "an entry of the key-value store does not parse".to_owned(),
        })
    }
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("head", &self.head).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) fn sample_head() -> Head {
    let at = Timestamp::from_ms(7);
    Head {
        version: 3,
        created_at: at,
        updated_at: at,
        created_by: UserId::from_bytes([1; 16]),
        updated_by: UserId::from_bytes([2; 16]),
        expires_at: Some(at),
        content_type: Some("text/plain".to_owned()),
        encrypt: true,
        compress: true,
        compressed: false,
        plain_bytes: 3,
        stored_bytes: 3,
        parts: Some(Parts { id: [9; 16], count: 2 }),
        trail: vec![
            Past { revision: 1, parts: None },
            Past { revision: 2, parts: Some((Parts { id: [8; 16], count: 1 }, at)) },
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_back_as_it_was_written() {
        for inline in [None, Some(Bytes::new(b"\0abc"))] {
            let entry = Entry { head: sample_head(), inline };
            let bytes = entry.encode().unwrap();
            let read = Entry::decode(bytes.expose()).unwrap();
            assert_eq!((read.head, read.inline), (entry.head, entry.inline));
        }
    }

    #[test]
    fn debug_does_not_show_a_value() {
        let entry = Entry { head: sample_head(), inline: Some(Bytes::new(b"planted")) };
        assert!(!format!("{entry:?}").contains("planted"));
    }
}
