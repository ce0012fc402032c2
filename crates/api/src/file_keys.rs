//! The KMS's native surface for file keys: who has which key, who may use it, and what it opens.
//!
//! A file key is named by its file's name within its owner's name space. Where `owner` (an e-mail
//! address) is left out, the KMS resolves the name: the caller's own uploaded file, then the oldest
//! live grant under that name, then the caller's own unfinished one.
//!
//! Names and addresses are plain strings here, so that a service can say which field is wrong;
//! their rules are [`coffer_core::FileName`]'s and [`coffer_core::EmailAddress`]'s. Addresses of
//! other people travel in bodies, not in URLs that proxies log; `owner` of a `GET` is the one exception.

use coffer_core::{FileId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::WireSecret;

/// `POST` makes a file key, `GET` lists the caller's own.
pub const FILE_KEYS: &str = "/api/v1/file-keys";
/// `GET` with [`ShowFileKey`]: one file key, the caller's own or one shared with him.
pub const FILE_KEY_SHOW: &str = "/api/v1/file-keys/show";
/// `POST` [`ExportFileKey`]: the private key itself.
pub const FILE_KEY_EXPORT: &str = "/api/v1/file-keys/export";
/// `POST` [`UnwrapRequest`]: what was wrapped for the key, without handing the key out.
pub const FILE_KEY_UNWRAP: &str = "/api/v1/file-keys/unwrap";
/// `POST` [`RotateFileKey`]: the key gets another version.
pub const FILE_KEY_ROTATE: &str = "/api/v1/file-keys/rotate";
/// `POST` [`DestroyFileKey`]: old versions are removed for good.
pub const FILE_KEY_DESTROY: &str = "/api/v1/file-keys/destroy";
/// `GET` with [`KeyVersionsOf`]: the versions of a key of the caller's.
pub const FILE_KEY_VERSIONS: &str = "/api/v1/file-keys/versions";
/// `GET` with [`ListUses`]: what others did with a key of the caller's.
pub const FILE_KEY_USES: &str = "/api/v1/file-keys/uses";

/// Ciphertexts in one [`UnwrapRequest`], at most.
pub const UNWRAP_CIPHERTEXTS_MAX: usize = 8;

/// Makes a file key, or answers with the one there is while its file has not been uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateFileKey {
    /// The file's name: relative, at most 1024 bytes of UTF-8.
    #[schema(example = "reports/2026.pdf", max_length = 1024)]
    pub name: String,
    /// What the key is for. A folder's key is for every file under it that has none of its own, now and later; asking
    /// for it again gives the same key.
    #[serde(default)]
    pub covers: Covers,
}

/// What a file key is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Covers {
    /// The file of its name.
    #[default]
    File,
    /// The files under the folder of its name that have no key of their own and are in no folder between that has one.
    Folder,
}

/// A file key's public side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileKey {
    /// The file's id.
    #[schema(value_type = String, format = Uuid)]
    pub file_id: FileId,
    /// The name that the key was made for: the file's, or that of the folder whose key covers it.
    pub name: String,
    /// What the key is for.
    #[serde(default)]
    pub covers: Covers,
    /// The owner's e-mail address.
    #[schema(format = Email)]
    pub owner: String,
    /// Which version of the key this is; the first is 1.
    pub version: u32,
    /// PEM `SubjectPublicKeyInfo`: wrap content keys for this.
    pub public_key_pem: String,
    /// When the key was made (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Whether the KMS knows that the file has been uploaded. `false` may be out of date: it is
    /// found out when somebody asks for the key again.
    pub uploaded: bool,
    /// What the caller may do.
    pub access: Access,
}

/// What a caller may do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Everything, granting included.
    Owner,
    /// Read and replace the file.
    Write,
    /// Read the file.
    Read,
}

/// Which page of a listing is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next_cursor` of the page before; none asks for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Items in the page, at most 1000; 100 if not given.
    #[serde(
        default,
        deserialize_with = "crate::page::deserialize_limit",
        skip_serializing_if = "Option::is_none"
    )]
    pub limit: Option<usize>,
}

/// A page of the caller's own file keys, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileKeyPage {
    /// The keys.
    pub items: Vec<FileKeySummary>,
    /// Where the next page begins, unless this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A file key in a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileKeySummary {
    /// The file's id.
    #[schema(value_type = String, format = Uuid)]
    pub file_id: FileId,
    /// The file's or folder's name.
    pub name: String,
    /// What the key is for.
    #[serde(default)]
    pub covers: Covers,
    /// When the key was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// See [`FileKey::uploaded`].
    pub uploaded: bool,
    /// Its versions.
    pub versions: KeyVersions,
}

/// The versions of a file key. Only the newest is wrapped for; all that are kept open what was wrapped for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyVersions {
    /// The newest.
    pub newest: u32,
    /// The oldest that was not destroyed.
    pub oldest: u32,
    /// Since when the newest is in use.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Whether what is kept is still being wrapped for the newest.
    pub moving: bool,
}

/// Gives a file key of the caller's another version. What is kept is wrapped for it anew, in the background; none of it is
/// out of reach meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateFileKey {
    /// The name that the key was made for: a file, or a folder.
    #[schema(max_length = 1024)]
    pub name: String,
    /// Only if this is the newest version: so that what is asked for twice happens once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub if_version: Option<u32>,
}

/// Removes the private halves of old versions of a file key of the caller's, for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DestroyFileKey {
    /// The name that the key was made for: a file, or a folder.
    #[schema(max_length = 1024)]
    pub name: String,
    /// Versions up to this one go; all but the newest if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub up_to: Option<u32>,
    /// Even if something needs them that is kept: nobody can ever open it again.
    #[serde(default)]
    pub force: bool,
}

/// Whose versions are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct KeyVersionsOf {
    /// The name that the key was made for: a file, or a folder.
    pub name: String,
}

/// Which uses are listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListUses {
    /// The name that the key was made for: a file, or a folder.
    pub name: String,
    /// `next_cursor` of the page before; none asks for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Items in the page, at most 1000; 100 if not given.
    #[serde(
        default,
        deserialize_with = "crate::page::deserialize_limit",
        skip_serializing_if = "Option::is_none"
    )]
    pub limit: Option<usize>,
}

/// A page of what others did with a key, in no order that means anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsesPage {
    /// One for each of them.
    pub items: Vec<KeyUses>,
    /// Where the next page begins, unless this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// What one other user did with a key, also before access was taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyUses {
    /// Who; empty if there is no such user any more.
    #[schema(format = Email)]
    pub user: String,
    /// The first time.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Timestamp,
    /// The last time.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// How often something was unwrapped.
    pub unwraps: u64,
    /// How often the private key was handed out.
    pub exports: u64,
    /// The newest version of the key that was handed out, if one was: whoever has it opens what is wrapped for it without
    /// asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exported_version: Option<u32>,
    /// The latest version of a file's content that was opened, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_version: Option<u64>,
}

/// Which file key is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ShowFileKey {
    /// The file's name.
    pub name: String,
    /// The owner's e-mail address, if the name alone could mean another file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// Asks for a private key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportFileKey {
    /// The file's name.
    #[schema(max_length = 1024)]
    pub name: String,
    /// The owner's e-mail address, if the name alone could mean another file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Email)]
    pub owner: Option<String>,
}

/// A private key.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ExportedFileKey {
    /// The file's id.
    #[schema(value_type = String, format = Uuid)]
    pub file_id: FileId,
    /// Which version of the key this is.
    pub version: u32,
    /// PEM PKCS#1 (`BEGIN RSA PRIVATE KEY`).
    #[schema(value_type = String)]
    pub private_key_pem: WireSecret,
}

/// Asks for what was wrapped for a file key, without the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnwrapRequest {
    /// The file's name.
    #[schema(max_length = 1024)]
    pub name: String,
    /// The owner's e-mail address, if the name alone could mean another file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Email)]
    pub owner: Option<String>,
    /// RSA-OAEP-SHA256 ciphertexts in base64, 1 to 8 of them, each as long as the key's modulus.
    #[schema(min_items = 1, max_items = 8)]
    pub ciphertexts: Vec<String>,
}

/// What the ciphertexts held, in the same order.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UnwrapResponse {
    /// The plaintexts in base64.
    #[schema(value_type = Vec<String>)]
    pub plaintexts: Vec<WireSecret>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_a_released_key() {
        let bytes = [7; 16];
        let key = ExportedFileKey {
            file_id: FileId::from_bytes(bytes),
            version: 1,
            private_key_pem: "BEGIN RSA PRIVATE KEY".into(),
        };
        assert!(!format!("{key:?}").contains("PRIVATE"));
        let plain = UnwrapResponse { plaintexts: vec!["c2VjcmV0".into()] };
        assert!(!format!("{plain:?}").contains("c2Vj"));
    }

    #[test]
    fn an_unknown_field_is_refused() {
        assert!(serde_json::from_str::<CreateFileKey>(r#"{"name":"a","owner":"b"}"#).is_err());
    }
}
