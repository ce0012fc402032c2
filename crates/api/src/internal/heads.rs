//! Heads of kept files: what the KMS asks the data service for when a file key is rotated, and gives back.
//!
//! The KMS drives this: it reads heads, wraps their content keys for the key's new version itself, and has the result put
//! in their place. So nobody can ask the KMS to wrap anything anew, and no content key leaves it.

use coffer_core::{FileId, FileName, UserId};
use serde::{Deserialize, Serialize};

use crate::file_keys::Covers;

/// Heads that are put in place by one call, at most.
pub const NEW_HEADS_MAX: usize = 128;

/// Asks for heads that are wrapped for an old version of a file key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadsRequest {
    /// The name space: the owner's id.
    pub space: UserId,
    /// The file key.
    pub file_id: FileId,
    /// What it was made for.
    pub name: FileName,
    /// Whether that is a file or a folder.
    pub covers: Covers,
    /// Versions before this one are old.
    pub below: u32,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A page of heads; it may be empty and still have a next one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadsPage {
    /// The heads. Those of one name follow each other.
    pub items: Vec<KeptHead>,
    /// Where the next page begins, unless this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The head of one kept version of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptHead {
    /// The file.
    pub file_name: FileName,
    /// Names these very bytes.
    pub tag: String,
    /// What is kept.
    pub head: HeadBytes,
}

/// What is wrapped for a file key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadBytes {
    /// Of an envelope.
    Envelope {
        /// The version of the content.
        version: u64,
        /// Prefix and stanzas, base64.
        head: String,
    },
    /// Of a classic file, of which nothing tells for which version of the key it is.
    Classic {
        /// The content key, base64.
        wrapped_key: String,
        /// The initial vector, base64.
        wrapped_vector: String,
    },
}

/// Has heads replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplaceHeads {
    /// The name space: the owner's id.
    pub space: UserId,
    /// The heads, at most [`NEW_HEADS_MAX`]; those of one name follow each other.
    pub items: Vec<NewHead>,
}

/// What a head is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewHead {
    /// The file.
    pub file_name: FileName,
    /// The tag of the bytes that it takes the place of: of others it does not.
    pub tag: String,
    /// What takes their place.
    pub wrapped: NewlyWrapped,
}

/// What was wrapped anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewlyWrapped {
    /// The stanza section of an envelope, base64.
    Stanzas(String),
    /// Of a classic file.
    Classic {
        /// The content key, base64.
        wrapped_key: String,
        /// The initial vector, base64.
        wrapped_vector: String,
    },
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadsReplaced {
    /// Heads that were replaced. The others are not there any more.
    pub replaced: usize,
}

/// From now on nothing is taken in that is wrapped for an older version of a file key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FenceRequest {
    /// The name space: the owner's id.
    pub space: UserId,
    /// The file key.
    pub file_id: FileId,
    /// The oldest version that is taken; 1 for all.
    pub oldest: u32,
}
