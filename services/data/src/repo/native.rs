//! What is stored of an envelope beside its bytes, of the versions before it, and of a deleted one.
//!
//! A version that is replaced or deleted is set aside as the record that it was ([`Sort::past`]). Which of these there
//! are stands in the record of the present version, or in that of the deleted file: its trail. So a listing of
//! versions reads one record, and whatever changes a name changes its trail in the same commit.
//!
//! [`Sort::past`]: coffer_store::records::Sort::past

use coffer_core::{BlobId, Timestamp};
use coffer_store::records::Version;
use serde::{Deserialize, Serialize};
use serde_bytes::Bytes;

use super::record::FileRecord;

/// What there is to an envelope beside its content.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Native<'a> {
    /// What names this content.
    pub(crate) tag: Tag,
    /// The prefix, as it came.
    #[serde(borrow)]
    pub(crate) prefix: &'a Bytes,
    /// The stanza section, which may be replaced without touching the content.
    #[serde(borrow)]
    pub(crate) stanzas: &'a Bytes,
    /// The versions before, oldest first.
    pub(crate) trail: Vec<Past>,
}

impl Native<'_> {
    /// Bytes before the content.
    pub(crate) fn head_bytes(&self) -> u64 {
        (self.prefix.len() + self.stanzas.len()) as u64
    }
}

/// What names the bytes of one envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tag {
    /// The version of the content, as the KMS numbered it.
    pub(crate) version: u64,
    /// How often the stanzas were replaced.
    pub(crate) stanzas: u64,
    /// Random, made at the upload: the same number may come again once nothing of a name is left.
    pub(crate) mark: u64,
}

impl Tag {
    /// The entity tag without its quotes.
    pub(crate) fn text(self) -> String {
        format!("{}-{}-{:016x}", self.version, self.stanzas, self.mark)
    }
}

/// A version that is not the present one any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Past {
    /// The version of its record, under which that was set aside.
    revision: u64,
    /// What names its content.
    pub(crate) tag: Tag,
    /// All bytes of the envelope.
    pub(crate) size_bytes: u64,
    /// When it was uploaded.
    pub(crate) created_at: Timestamp,
    /// When it was replaced or deleted.
    pub(crate) gone_at: Timestamp,
    /// Whether it was deleted, not replaced.
    pub(crate) deleted: bool,
    /// The blob that holds its content, if one does.
    pub(crate) blob: Option<BlobId>,
    /// Until when it is kept.
    pub(crate) until: Timestamp,
}

impl Past {
    /// What becomes of the record of this version.
    pub(crate) fn of(record: &FileRecord<'_>, revision: Version, gone: Gone) -> Option<Self> {
        Some(Self {
            revision: revision.0,
            tag: record.native.as_ref()?.tag,
            size_bytes: record.size_bytes,
            created_at: record.created_at,
            gone_at: gone.at,
            deleted: gone.deleted,
            blob: record.blob().map(|blob| blob.id),
            until: gone.until,
        })
    }

    /// The version of its record.
    pub(crate) fn revision(&self) -> Version {
        Version(self.revision)
    }
}

/// How a version goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gone {
    pub(crate) at: Timestamp,
    pub(crate) deleted: bool,
    pub(crate) until: Timestamp,
}

/// A deleted file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tombstone {
    /// Its versions, oldest first. The last is the one that was deleted.
    pub(crate) trail: Vec<Past>,
}
