//! The KMS's native surface for sharing: who may use a file key of the caller's, and whose keys the
//! caller may use.
//!
//! Nothing here tells whether an address belongs to an account.

use coffer_core::{FileId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::file_keys::Covers;

/// `POST` [`CreateGrant`], `GET` with [`ListGrants`].
pub const GRANTS: &str = "/api/v1/grants";
/// `POST` [`RevokeGrant`].
pub const GRANTS_REVOKE: &str = "/api/v1/grants/revoke";
/// `GET`: what others have shared with the caller.
pub const SHARED: &str = "/api/v1/shared";

/// What a grant allows. Writing includes reading.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Read the file.
    #[default]
    Read,
    /// Read and replace the file.
    Write,
}

/// Gives somebody access to a file of the caller's. The answer is the same whether or not the address
/// belongs to an account: a grant to an address that is not registered takes effect once it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateGrant {
    /// The file's name, in the caller's own name space.
    #[schema(max_length = 1024)]
    pub name: String,
    /// Whom to give access.
    #[schema(format = Email, max_length = 254)]
    pub grantee_email: String,
    /// What the grant allows; reading if not given.
    #[serde(default)]
    pub permission: Permission,
    /// From when on the grant is void (RFC 3339); never if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// Whose grants are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListGrants {
    /// The file's name, in the caller's own name space.
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

/// A live grant, as its owner sees it. It does not tell whether the address has an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Grant {
    /// Who has access.
    #[schema(format = Email)]
    pub grantee_email: String,
    /// What the grant allows.
    pub permission: Permission,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub granted_at: Timestamp,
    /// Until when, if it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// A page of the live grants of one file, in no order that means anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GrantPage {
    /// The grants.
    pub items: Vec<Grant>,
    /// Where the next page begins, unless this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Takes access away, at once. Revoking what was never granted succeeds and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeGrant {
    /// The file's name, in the caller's own name space.
    #[schema(max_length = 1024)]
    pub name: String,
    /// From whom.
    #[schema(format = Email, max_length = 254)]
    pub grantee_email: String,
}

/// A file that another user has shared with the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SharedFile {
    /// The file's id.
    #[schema(value_type = String, format = Uuid)]
    pub file_id: FileId,
    /// The name of the file, or of the folder, in its owner's name space.
    pub name: String,
    /// Whether it is a file or a folder.
    #[serde(default)]
    pub covers: Covers,
    /// The owner's e-mail address.
    #[schema(format = Email)]
    pub owner: String,
    /// What the caller may do.
    pub permission: Permission,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub granted_at: Timestamp,
    /// Until when, if it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// A page of what is shared with the caller, by name. A page may hold fewer items than asked for and
/// still have a next one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SharedPage {
    /// The files.
    pub items: Vec<SharedFile>,
    /// Where the next page begins, unless this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_without_a_permission_is_for_reading_and_without_an_end() {
        let grant: CreateGrant =
            serde_json::from_str(r#"{"name":"a","grantee_email":"b@example.com"}"#).unwrap();
        assert_eq!((grant.permission, grant.expires_at), (Permission::Read, None));
    }
}
