//! `/api/v1/file-keys/{rotate,destroy,uses}`.

use actix_web::web::{Data, Json};
use coffer_api::Problem;
use coffer_api::file_keys::{DestroyFileKey, KeyUses, KeyVersionsOf, ListUses, RotateFileKey, UsesPage};
use coffer_api::page::page_items;
use coffer_auth::permission::ManageFileKeys;
use coffer_server::{Granted, GrantedFor, HttpError, ValidJson, ValidQuery};

use super::caller::caller;
use super::parse;
use crate::domain::filekeys::{Destruction, FileKeys, KeyVersions};
use crate::routes::visitor::Visitor;

impl From<KeyVersions> for coffer_api::file_keys::KeyVersions {
    fn from(KeyVersions { newest, oldest, since, moving }: KeyVersions) -> Self {
        Self { newest, oldest, since, moving }
    }
}

/// Gives a file key of the caller's another version.
#[utoipa::path(post, path = "/api/v1/file-keys/rotate", tag = "file keys", request_body = RotateFileKey,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The versions that there are now; what is kept is wrapped for the newest in the \
            background", body = coffer_api::file_keys::KeyVersions),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`permission_denied`, `second_factor_required`", body = Problem),
        (status = 409, description = "`conflict`: another version is the newest; `limit_reached`: destroy old \
            versions first", body = Problem),
        (status = 422, description = "`invalid_input`, also of a file that has not been uploaded", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(super) async fn rotate(
    asked: GrantedFor<Granted<ManageFileKeys>, ValidJson<RotateFileKey>>,
    visitor: Visitor,
    keys: Data<FileKeys>,
) -> Result<Json<coffer_api::file_keys::KeyVersions>, HttpError> {
    let GrantedFor { caller: session, body } = asked;
    let name = parse::name(&body.name)?;
    let versions = keys.rotate(&caller(&session, visitor), &name, body.if_version).await?;
    Ok(Json(versions.into()))
}

/// Removes old versions of a file key of the caller's, for good.
#[utoipa::path(post, path = "/api/v1/file-keys/destroy", tag = "file keys", request_body = DestroyFileKey,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The versions that are left", body = coffer_api::file_keys::KeyVersions),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`permission_denied`, `second_factor_required`", body = Problem),
        (status = 409, description = "`key_version_in_use`: something that is kept needs it, or is still being \
            wrapped for the newest; `conflict`", body = Problem),
        (status = 422, description = "`invalid_input`, also of the newest version", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(super) async fn destroy(
    asked: GrantedFor<Granted<ManageFileKeys>, ValidJson<DestroyFileKey>>,
    visitor: Visitor,
    keys: Data<FileKeys>,
) -> Result<Json<coffer_api::file_keys::KeyVersions>, HttpError> {
    let GrantedFor { caller: session, body } = asked;
    let name = parse::name(&body.name)?;
    let which = Destruction { up_to: body.up_to, force: body.force };
    Ok(Json(keys.destroy(&caller(&session, visitor), &name, which).await?.into()))
}

/// The versions of a file key of the caller's.
#[utoipa::path(get, path = "/api/v1/file-keys/versions", tag = "file keys", params(KeyVersionsOf),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The versions", body = coffer_api::file_keys::KeyVersions),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`permission_denied`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem)))]
pub(super) async fn versions(
    session: Granted<ManageFileKeys>,
    visitor: Visitor,
    keys: Data<FileKeys>,
    query: ValidQuery<KeyVersionsOf>,
) -> Result<Json<coffer_api::file_keys::KeyVersions>, HttpError> {
    let name = parse::name(&query.name)?;
    Ok(Json(keys.key_versions(&caller(&session, visitor), &name).await?.into()))
}

/// What others did with a file key of the caller's.
#[utoipa::path(get, path = "/api/v1/file-keys/uses", tag = "file keys", params(ListUses),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "A page of uses; of the last second some may be missing", body = UsesPage),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`permission_denied`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem)))]
pub(super) async fn uses(
    session: Granted<ManageFileKeys>,
    visitor: Visitor,
    keys: Data<FileKeys>,
    query: ValidQuery<ListUses>,
) -> Result<Json<UsesPage>, HttpError> {
    let name = parse::name(&query.name)?;
    let which = (query.cursor.as_deref(), page_items(query.limit));
    let page = keys.uses(&caller(&session, visitor), &name, which).await?;
    let users: Vec<_> = page.items.iter().map(|item| item.user).collect();
    let mut emails = keys.emails(&users).await?;
    let items = page.items.into_iter().map(|item| KeyUses {
        user: emails.remove(&item.user).unwrap_or_default(),
        first_at: item.uses.first_at,
        last_at: item.uses.last_at,
        unwraps: item.uses.unwraps,
        exports: item.uses.exports,
        exported_version: item.uses.exported_version,
        content_version: item.uses.content_version,
    });
    Ok(Json(UsesPage { items: items.collect(), next_cursor: page.next }))
}
