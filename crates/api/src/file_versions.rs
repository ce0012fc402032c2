//! The KMS's native surface for the versions of a file's content: which are registered, and what opens them.
//!
//! `proto-docs/adr/0013-the-kms-knows-the-content-of-every-version.md` says what these calls are for. Each takes many
//! files of one owner, and does all that it is asked or nothing. Where `owner` is left out, registering and publishing
//! mean the caller's own name space; opening resolves the name as [`file_keys`](crate::file_keys) does.

use coffer_core::FileId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{PrefixHash, WireSecret};

/// `POST` [`RegisterVersions`].
pub const FILE_VERSIONS: &str = "/api/v1/file-versions";
/// `POST` [`PublishVersions`].
pub const FILE_VERSIONS_PUBLISH: &str = "/api/v1/file-versions/publish";
/// `POST` [`OpenVersions`].
pub const FILE_VERSIONS_OPEN: &str = "/api/v1/file-versions/open";

/// `POST` [`ShowVersions`].
pub const FILE_VERSIONS_PRESENT: &str = "/api/v1/file-versions/present";

/// Versions registered or published by one request, at most.
pub const VERSIONS_MAX: usize = 100;
/// Versions opened by one request, at most.
pub const OPEN_VERSIONS_MAX: usize = 64;

/// Registers what is about to be uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterVersions {
    /// The owner's e-mail address, if the files are not the caller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Email)]
    pub owner: Option<String>,
    /// The files, each once.
    #[schema(min_items = 1, max_items = 100)]
    pub items: Vec<NewVersion>,
}

/// The content that a file is to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVersion {
    /// The file's name; its key must have been made.
    #[schema(max_length = 1024)]
    pub name: String,
    /// SHA-256 of the envelope's prefix, 64 hexadecimal digits in lower case.
    #[schema(value_type = String, min_length = 64, max_length = 64)]
    pub prefix_hash: PrefixHash,
}

/// What was registered, in the order asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegisteredVersions {
    /// The versions.
    pub items: Vec<RegisteredVersion>,
}

/// A version that may be uploaded now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegisteredVersion {
    /// The file's id.
    #[schema(value_type = String, format = Uuid)]
    pub file_id: FileId,
    /// The number of the version, greater than every one before.
    pub version: u64,
}

/// Says that versions were uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishVersions {
    /// The owner's e-mail address, if the files are not the caller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Email)]
    pub owner: Option<String>,
    /// The versions. One that is not later than what is published changes nothing.
    #[schema(min_items = 1, max_items = 100)]
    pub items: Vec<UploadedVersion>,
}

/// A version that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadedVersion {
    /// The file's name.
    #[schema(max_length = 1024)]
    pub name: String,
    /// The version's number, as it was registered.
    #[schema(minimum = 1)]
    pub version: u64,
}

/// An answer without content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublishedVersions {}

/// Asks which versions are the present ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowVersions {
    /// The owner's e-mail address, if the files are not the caller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Email)]
    pub owner: Option<String>,
    /// The files, each once.
    #[schema(min_items = 1, max_items = 100)]
    pub items: Vec<ShowVersion>,
}

/// A file whose present version is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowVersion {
    /// The file's name.
    #[schema(max_length = 1024)]
    pub name: String,
}

/// Present versions, in the order asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PresentVersions {
    /// The versions.
    pub items: Vec<PresentVersion>,
}

/// The present version of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PresentVersion {
    /// The latest version that was published; nothing where none was, or where there is no such file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// Asks for content keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenVersions {
    /// The owner's e-mail address, if a name alone could mean another file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Email)]
    pub owner: Option<String>,
    /// The versions.
    #[schema(min_items = 1, max_items = 64)]
    pub items: Vec<SealedVersion>,
}

/// A version as the data service handed it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedVersion {
    /// The file's name.
    #[schema(max_length = 1024)]
    pub name: String,
    /// The version's number.
    #[schema(minimum = 1)]
    pub version: u64,
    /// Whether the present content is wanted: refused if a later version has been published.
    #[serde(default)]
    pub present: bool,
    /// SHA-256 of the prefix that was read, 64 hexadecimal digits in lower case.
    #[schema(value_type = String, min_length = 64, max_length = 64)]
    pub prefix_hash: PrefixHash,
    /// The version of the file key that the stanza is for.
    #[schema(minimum = 1)]
    pub key_version: u32,
    /// The wrapped content key of that stanza, base64.
    pub wrapped: String,
}

/// Content keys, in the order asked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OpenedVersions {
    /// The versions.
    pub items: Vec<OpenedVersion>,
}

/// What opens one version.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OpenedVersion {
    /// The content key, 32 bytes in base64.
    #[schema(value_type = String)]
    pub content_key: WireSecret,
    /// The latest version that has been published, if one has: when it is earlier than the one opened, nobody has
    /// published that yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_present_content_is_asked_for_by_name_only() {
        let hash = "ab".repeat(32);
        let text =
            format!(r#"{{"name":"a","version":1,"prefix_hash":"{hash}","key_version":1,"wrapped":""}}"#);
        assert!(!serde_json::from_str::<SealedVersion>(&text).unwrap().present);
        assert!(serde_json::from_str::<SealedVersion>(&text.replace("ab", "AB")).is_err(), "one spelling");
    }

    #[test]
    fn debug_does_not_show_a_content_key() {
        let opened = OpenedVersion { content_key: "planted".into(), published: None };
        assert!(!format!("{opened:?}").contains("planted"));
    }
}
