//! Copying and moving files that are envelopes: what the KMS and the data service are asked, one after the other.
//!
//! A copy has the same bytes behind its prefix and the same content key, wrapped for the file key that its name has. So the
//! KMS registers it as the next version of that name, like anything that is about to be uploaded, and gives the stanzas; the
//! data service then gives the content another name, and the KMS is told that it did, as after an upload. No content passes
//! through the client, and no content key leaves the KMS.

use coffer_core::FileId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// KMS: `POST` [`RegisterCopy`].
pub const FILE_VERSIONS_COPY: &str = "/api/v1/file-versions/copy";
/// Data service: `POST` [`CopyFile`].
pub const FILE_COPY: &str = "/api/v1/file-copy";
/// Data service: `POST` [`MoveFile`].
pub const FILE_MOVE: &str = "/api/v1/file-move";

/// Registers content that is there under one name as the next version of another, or of the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterCopy {
    /// The name that it has.
    #[schema(max_length = 1024)]
    pub from: String,
    /// Whose, by e-mail address, if a name alone could mean another file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Email)]
    pub from_owner: Option<String>,
    /// The number of its version there.
    #[schema(minimum = 1)]
    pub version: u64,
    /// Whether the present content is wanted: refused if a later version has been published.
    #[serde(default)]
    pub present: bool,
    /// The envelope's prefix, 96 bytes in base64.
    pub prefix: String,
    /// The version of the file key that the stanza is for.
    #[schema(minimum = 1)]
    pub key_version: u32,
    /// The wrapped content key of that stanza, base64.
    pub wrapped: String,
    /// The name that it gets; a key of it must have been made.
    #[schema(max_length = 1024)]
    pub to: String,
    /// Whose, by e-mail address, if not the caller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Email)]
    pub to_owner: Option<String>,
}

/// What was registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegisteredCopy {
    /// The id of the file whose key it is wrapped for.
    #[schema(value_type = String, format = Uuid)]
    pub file_id: FileId,
    /// The number of the version, greater than every one before.
    pub version: u64,
    /// The stanzas that it has there, base64.
    pub stanzas: String,
}

/// Gives the content of a file a second name. What the file at the new name must be is said by `If-Match` and
/// `If-None-Match`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyFile {
    /// The name that it has.
    #[schema(max_length = 1024)]
    pub from: String,
    /// Whose, by e-mail address, if the name alone could mean another file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Email)]
    pub from_owner: Option<String>,
    /// Which version of it, as the KMS was told.
    #[schema(minimum = 1)]
    pub from_version: u64,
    /// The name that it gets.
    #[schema(max_length = 1024)]
    pub to: String,
    /// Whose, by e-mail address, if not the caller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Email)]
    pub to_owner: Option<String>,
    /// The version that it is there, as the KMS gave it.
    #[schema(minimum = 1)]
    pub version: u64,
    /// The stanzas that it has there, as the KMS gave them.
    pub stanzas: String,
}

/// Gives a file another name of the same owner, at once. Its history stays with the old name, which goes to the trash. What
/// the file at the new name must be is said by `If-Match` and `If-None-Match`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveFile {
    /// The name that it has.
    #[schema(max_length = 1024)]
    pub from: String,
    /// The present version of it, as the KMS was told; of another one nothing is moved.
    #[schema(minimum = 1)]
    pub from_version: u64,
    /// The name that it gets.
    #[schema(max_length = 1024)]
    pub to: String,
    /// Whose files, by e-mail address, if not the caller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Email)]
    pub owner: Option<String>,
    /// The version that it is there, as the KMS gave it.
    #[schema(minimum = 1)]
    pub version: u64,
    /// The stanzas that it has there, as the KMS gave them.
    pub stanzas: String,
}
