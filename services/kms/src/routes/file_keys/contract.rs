//! The file contract's calls about keys. Every outcome is HTTP 200 with its number in the body.

use actix_web::web::{Data, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_api::WireSecret;
use coffer_api::contract::kms::{Answer, GrantRequest, KeyRequest};
use coffer_api::contract::validation::ValidationErrors;
use coffer_api::grants::Permission;
use coffer_auth::permission::{ManageFileKeys, OpenFileKeys, ShareFiles};
use coffer_server::{Granted, HttpError, JsonBody, KmsContract};

use super::caller::caller;
use crate::domain::filekeys::{FileKeyError, FileKeys, GrantOrder, Wanted};
use crate::routes::visitor::Visitor;

type Answered = Result<Json<Answer>, HttpError<KmsContract>>;

/// The public key of a file of the caller's, which is made if there is none.
#[utoipa::path(post, path = "/get_public_key", tag = "file contract", request_body = KeyRequest,
    security(("sid" = [])),
    responses(
        (status = 200, body = Answer, description = "`public_key_saved` (200) with `kms_public_key` · \
            `file_exists` (400) · `permission_denied` (400, the owner named is not the caller) · \
            `invalid_session` (403)"),
        (status = 422, description = "A field is absent or not valid", body = ValidationErrors),
        (status = 503, description = "`unavailable`, with `Retry-After`")))]
pub(super) async fn get_public_key(
    session: Granted<ManageFileKeys, KmsContract>,
    visitor: Visitor,
    keys: Data<FileKeys>,
    body: JsonBody<KeyRequest>,
) -> Answered {
    let wanted = Wanted { name: &body.file_name, owner: body.owner.as_ref() };
    let pem = keys.create_pem(&caller(&session, visitor), wanted).await?;
    Ok(Json(Answer::public_key_saved(STANDARD.encode(pem))))
}

/// The private key of a file that the caller owns or was granted.
#[utoipa::path(post, path = "/get_private_key", tag = "file contract", request_body = KeyRequest,
    security(("sid" = [])),
    responses(
        (status = 200, body = Answer, description = "`private_key_retrieved` (200) with `kms_private_key` · \
            `access_denied` (400, also for an unknown file) · `invalid_session` (403)"),
        (status = 422, description = "A field is absent or not valid", body = ValidationErrors),
        (status = 503, description = "`unavailable`, with `Retry-After`")))]
pub(super) async fn get_private_key(
    session: Granted<OpenFileKeys, KmsContract>,
    visitor: Visitor,
    keys: Data<FileKeys>,
    body: JsonBody<KeyRequest>,
) -> Answered {
    let wanted = Wanted { name: &body.file_name, owner: body.owner.as_ref() };
    let exported = keys.export(&caller(&session, visitor), wanted).await.map_err(|error| match error {
        FileKeyError::NotFound => FileKeyError::AccessDenied,
        other => other,
    })?;
    let encoded = WireSecret::from(STANDARD.encode(exported.private_pem.expose()));
    Ok(Json(Answer::private_key_retrieved(encoded)))
}

/// Lets a friend read a file of the caller's.
#[utoipa::path(post, path = "/grant_access", tag = "file contract", request_body = GrantRequest,
    security(("sid" = [])),
    responses(
        (status = 200, body = Answer, description = "`grant_success` (200) · `permission_denied` (400, not \
            the owner, or no such file) · `invalid_session` (403)"),
        (status = 422, description = "A field is absent or not valid", body = ValidationErrors),
        (status = 503, description = "`unavailable`, with `Retry-After`")))]
pub(super) async fn grant_access(
    session: Granted<ShareFiles, KmsContract>,
    visitor: Visitor,
    keys: Data<FileKeys>,
    body: JsonBody<GrantRequest>,
) -> Answered {
    let GrantRequest { file_name: name, friend_email: grantee } = body.into_inner();
    let order = GrantOrder { name, grantee, permission: Permission::Read, expires_at: None };
    keys.grant(&caller(&session, visitor), &order).await?;
    Ok(Json(Answer::grant_success()))
}
