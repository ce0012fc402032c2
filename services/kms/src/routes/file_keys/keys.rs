//! `/api/v1/file-keys`.

use actix_web::web::{Data, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_api::file_keys::{
    Covers, CreateFileKey, ExportFileKey, ExportedFileKey, FileKey, FileKeyPage, FileKeySummary, PageQuery,
    ShowFileKey, UnwrapRequest, UnwrapResponse,
};
use coffer_api::page::page_items;
use coffer_api::{Problem, WireSecret};
use coffer_auth::permission::{ManageFileKeys, OpenFileKeys};
use coffer_core::SecretString;
use coffer_server::{Failure, Granted, GrantedFor, HttpError, LatelyGranted, ValidJson, ValidQuery};

use super::caller::caller;
use super::parse;
use crate::domain::filekeys::{FileKeys, PublicKey, Wanted};
use crate::routes::visitor::Visitor;

impl From<PublicKey> for FileKey {
    fn from(key: PublicKey) -> Self {
        Self {
            file_id: key.file,
            name: key.name.as_str().to_owned(),
            covers: key.covers,
            owner: key.owner,
            version: key.version,
            public_key_pem: key.public_pem,
            created_at: key.created_at,
            uploaded: key.uploaded,
            access: key.access,
        }
    }
}

/// Makes a file key in the caller's name space, or answers with the one there is while its file has not been
/// uploaded. A folder's key is answered every time.
#[utoipa::path(post, path = "/api/v1/file-keys", tag = "file keys", request_body = CreateFileKey,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The key's public side", body = FileKey),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 409, description = "`file_exists`, `limit_reached`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(super) async fn create(
    session: Granted<ManageFileKeys>,
    visitor: Visitor,
    keys: Data<FileKeys>,
    body: ValidJson<CreateFileKey>,
) -> Result<Json<FileKey>, HttpError> {
    let name = parse::name(&body.name)?;
    let caller = caller(&session, visitor);
    Ok(Json(match body.covers {
        Covers::File => keys.create(&caller, &name).await?.into(),
        Covers::Folder => keys.create_folder(&caller, &name).await?.into(),
    }))
}

/// Lists the caller's own file keys, by name.
#[utoipa::path(get, path = "/api/v1/file-keys", tag = "file keys", params(PageQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "A page of file keys", body = FileKeyPage),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem)))]
pub(super) async fn list(
    session: Granted<ManageFileKeys>,
    visitor: Visitor,
    keys: Data<FileKeys>,
    query: ValidQuery<PageQuery>,
) -> Result<Json<FileKeyPage>, HttpError> {
    let caller = caller(&session, visitor);
    let page = keys.own(&caller, query.cursor.as_deref(), page_items(query.limit)).await?;
    let items = page.items.into_iter().map(|file| FileKeySummary {
        file_id: file.file,
        name: file.name.as_str().to_owned(),
        covers: file.covers,
        created_at: file.created_at,
        uploaded: file.uploaded,
        versions: file.versions.into(),
    });
    Ok(Json(FileKeyPage { items: items.collect(), next_cursor: page.next }))
}

/// Shows one file key, the caller's own or one shared with the caller.
#[utoipa::path(get, path = "/api/v1/file-keys/show", tag = "file keys", params(ShowFileKey),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The key's public side", body = FileKey),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 404, description = "`file_key_not_found`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem)))]
pub(super) async fn show(
    session: Granted<ManageFileKeys>,
    visitor: Visitor,
    keys: Data<FileKeys>,
    query: ValidQuery<ShowFileKey>,
) -> Result<Json<FileKey>, HttpError> {
    let (name, owner) = (parse::name(&query.name)?, parse::owner(query.owner.as_deref())?);
    let wanted = Wanted { name: &name, owner: owner.as_ref() };
    Ok(Json(keys.show(&caller(&session, visitor), wanted).await?.into()))
}

/// Hands out a private key.
#[utoipa::path(post, path = "/api/v1/file-keys/export", tag = "file keys", request_body = ExportFileKey,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The private key", body = ExportedFileKey),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`access_denied`, `second_factor_required`", body = Problem),
        (status = 404, description = "`file_key_not_found`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem)))]
pub(super) async fn export(
    asked: GrantedFor<Granted<OpenFileKeys>, ValidJson<ExportFileKey>>,
    visitor: Visitor,
    keys: Data<FileKeys>,
) -> Result<Json<ExportedFileKey>, HttpError> {
    let GrantedFor { caller: session, body } = asked;
    let (name, owner) = (parse::name(&body.name)?, parse::owner(body.owner.as_deref())?);
    let wanted = Wanted { name: &name, owner: owner.as_ref() };
    let exported = keys.export(&caller(&session, visitor), wanted).await?;
    let pem = std::str::from_utf8(exported.private_pem.expose()).map_err(Failure::internal)?;
    let private_key_pem = WireSecret::from(SecretString::from(pem));
    Ok(Json(ExportedFileKey { file_id: exported.file, version: exported.version, private_key_pem }))
}

/// Opens what was wrapped for a file key, without handing the key out.
#[utoipa::path(post, path = "/api/v1/file-keys/unwrap", tag = "file keys", request_body = UnwrapRequest,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "What the ciphertexts held", body = UnwrapResponse),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`access_denied`, `second_factor_required`", body = Problem),
        (status = 404, description = "`file_key_not_found`", body = Problem),
        (status = 422, description = "`invalid_input`, `unwrap_failed`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(super) async fn unwrap(
    asked: GrantedFor<LatelyGranted<OpenFileKeys>, ValidJson<UnwrapRequest>>,
    visitor: Visitor,
    keys: Data<FileKeys>,
) -> Result<Json<UnwrapResponse>, HttpError> {
    let GrantedFor { caller: session, body } = asked;
    let (name, owner) = (parse::name(&body.name)?, parse::owner(body.owner.as_deref())?);
    let wanted = Wanted { name: &name, owner: owner.as_ref() };
    let ciphertexts = parse::ciphertexts(&body.ciphertexts)?;
    let opened = keys.unwrap(&caller(&session, visitor), wanted, ciphertexts).await?;
    let plaintexts = opened.iter().map(|text| WireSecret::from(STANDARD.encode(text.expose()))).collect();
    Ok(Json(UnwrapResponse { plaintexts }))
}
