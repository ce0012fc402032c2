//! Files on the data service: the source system's three calls and the native list.
//!
//! The contract surface answers with a real HTTP status and repeats it in `code`. Byte strings travel as
//! standard base64 with padding (RFC 4648, section 4). The service itself reads and writes these bodies
//! without an intermediate copy; these types are for clients, tests and the OpenAPI document.

use coffer_core::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// `POST` an [`UploadRequest`].
pub const UPLOAD: &str = "/upload";
/// `GET` with a [`DownloadQuery`].
pub const DOWNLOAD: &str = "/download";
/// `GET`: the caller's own files and those shared with the caller.
pub const LIST_FILES: &str = "/list_files";
/// `GET` with a [`FilesQuery`]: the caller's own files, in pages.
pub const FILES: &str = "/api/v1/files";

/// `PUT` an envelope, `GET`, `HEAD` or `DELETE` it. The name is the rest of the path, percent-encoded; its `/` stand as
/// they are. The owner and the version travel in headers, which proxies do not log:
/// [`OWNER`](crate::paths::headers::OWNER), [`FILE_VERSION`](crate::paths::headers::FILE_VERSION).
pub const FILE: &str = "/api/v1/files/{name:.+}";
/// `GET`: the versions of one file. The name is the rest of the path, as in [`FILE`].
pub const FILE_HISTORY: &str = "/api/v1/file-history/{name:.+}";
/// `GET` with a [`FileTrashQuery`]: what the caller deleted.
pub const FILE_TRASH: &str = "/api/v1/file-trash";
/// `POST` a [`RestoreFile`].
pub const FILE_TRASH_RESTORE: &str = "/api/v1/file-trash/restore";
/// The media type of an envelope.
pub const ENVELOPE_MEDIA_TYPE: &str = "application/vnd.coffer.envelope";

/// Body of `POST /upload`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UploadRequest {
    /// The name of the file in the caller's name space.
    #[schema(example = "report.pdf", min_length = 1, max_length = 1024)]
    pub file_name: String,
    /// The ciphertext, base64.
    #[schema(format = Byte)]
    pub encrypted_data: String,
    /// The wrapped content key, base64; at most 4 KiB decoded.
    #[schema(format = Byte)]
    pub encrypted_aes_key: String,
    /// The wrapped initial vector, base64; at most 4 KiB decoded.
    #[schema(format = Byte)]
    pub encrypted_aes_initial_vector: String,
    /// Whose name space is meant; on this surface only the caller's own may be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Email)]
    pub owner: Option<String>,
}

/// Query of `GET /download`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DownloadQuery {
    /// The name of the file.
    #[param(example = "report.pdf")]
    pub file_name: String,
    /// The e-mail address of its owner, when it is not the one that the name alone finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(format = Email)]
    pub owner: Option<String>,
}

/// Answer of `GET /download`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DownloadAnswer {
    /// 200.
    pub code: u16,
    /// The ciphertext, base64.
    #[schema(format = Byte)]
    pub encrypted_data: String,
    /// The wrapped content key, base64.
    #[schema(format = Byte)]
    pub encrypted_aes_key: String,
    /// The wrapped initial vector, base64.
    #[schema(format = Byte)]
    pub encrypted_aes_initial_vector: String,
}

/// Answer of `GET /list_files`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListAnswer {
    /// 200.
    pub code: u16,
    /// The caller's own files, then files shared with the caller; each name once.
    pub files: Vec<String>,
    /// `list_files_success`.
    pub message: String,
}

/// A plain answer of the contract surface: the status again and a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    /// The HTTP status.
    pub code: u16,
    /// `upload_success`, `file_exists`, `file_not_found`, …
    #[schema(example = "upload_success")]
    pub message: String,
}

/// Query of `GET` and `HEAD` of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FileQuery {
    /// Which version is wanted; the present one if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1)]
    pub version: Option<u64>,
}

/// A file that was stored as an envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoredFile {
    /// Its name.
    pub file_name: String,
    /// The version of its content, as the KMS numbered it.
    pub version: u64,
    /// Bytes of the whole envelope.
    pub size_bytes: u64,
    /// Names these very bytes, for `If-Match`; another one after the stanzas were replaced.
    pub etag: String,
    /// When it was stored (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A version of a file's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileVersion {
    /// Its number, as the KMS gave it.
    pub version: u64,
    /// Bytes of the whole envelope.
    pub size_bytes: u64,
    /// Names these very bytes.
    pub etag: String,
    /// When it was stored (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When another took its place (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub replaced_at: Option<Timestamp>,
    /// When it was deleted (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub deleted_at: Option<Timestamp>,
    /// Until when it is kept, if it is not the present one (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub kept_until: Option<Timestamp>,
}

/// The versions of a file, the newest first. There are never more than can be kept, so they come in one page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileHistory {
    /// The versions; the present one is the first, unless the file was deleted.
    pub items: Vec<FileVersion>,
}

/// Query of `GET /api/v1/file-trash`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FileTrashQuery {
    /// `next_cursor` of the page before; none asks for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Items in the page, 1 to 1000; 100 by default.
    #[serde(
        default,
        deserialize_with = "crate::page::deserialize_limit",
        skip_serializing_if = "Option::is_none"
    )]
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
}

/// A deleted file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrashedFile {
    /// Its name.
    pub file_name: String,
    /// The version that it had.
    pub version: u64,
    /// Bytes of the whole envelope.
    pub size_bytes: u64,
    /// When it was deleted (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub deleted_at: Timestamp,
    /// Until when it can be brought back (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub kept_until: Timestamp,
}

/// A page of the caller's deleted files, in the order of their names' bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileTrashPage {
    /// The files.
    pub items: Vec<TrashedFile>,
    /// Where the next page begins, unless this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Brings a deleted file back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreFile {
    /// Its name.
    #[schema(min_length = 1, max_length = 1024)]
    pub file_name: String,
}

/// Query of `GET /api/v1/files`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FilesQuery {
    /// Only names that begin with this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// `/`: names with a `/` behind the prefix are not told one by one, but what they begin with up to it, once, in
    /// `common_prefixes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// Only names that have this text in them, in upper or lower case. A page may be short or empty and still have a
    /// cursor: so many names are looked at for one page and no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// `next_cursor` of the page before; none asks for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Items in the page, 1 to 1000; 100 by default.
    #[serde(
        default,
        deserialize_with = "crate::page::deserialize_limit",
        skip_serializing_if = "Option::is_none"
    )]
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
}

/// One file in a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileItem {
    /// Its name.
    pub file_name: String,
    /// Bytes of ciphertext.
    pub size_bytes: u64,
    /// When it was uploaded (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The version of its content, if it was stored as an envelope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Names these very bytes, if it was stored as an envelope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

/// A page of the caller's own files, in the order of their names' bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FilesPage {
    /// The files.
    pub items: Vec<FileItem>,
    /// With a delimiter: what names begin with up to it. They count as items of the page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub common_prefixes: Vec<String>,
    /// Where the next page begins, unless this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_without_an_owner_is_exactly_the_contract_body() {
        let request = UploadRequest {
            file_name: "報告 2026.bin".into(),
            encrypted_data: "AA==".into(),
            encrypted_aes_key: "AQ==".into(),
            encrypted_aes_initial_vector: "Ag==".into(),
            owner: None,
        };
        let json = serde_json::to_value(&request).unwrap();
        let mut fields: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(
            fields,
            ["encrypted_aes_initial_vector", "encrypted_aes_key", "encrypted_data", "file_name"]
        );
        assert_eq!(serde_json::from_value::<UploadRequest>(json).unwrap(), request);
    }
}
