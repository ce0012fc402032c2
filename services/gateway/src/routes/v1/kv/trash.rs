//! The caller's deleted keys.

use actix_web::web::Json;
use coffer_api::kv::{KvDeleted, KvKeyQuery, KvMeta, KvTrashPage, KvTrashQuery, KvTrashRestore, KvTrashed};
use coffer_api::page::page_items;
use coffer_api::{ErrorCode, Problem};
use coffer_server::{Failure, HttpError, ValidJson, ValidQuery};

use super::desk::{Desk, key_in};
use super::wire;
use crate::domain::kv::{KvError, Trashed};
use crate::domain::usage::Kind;

/// Deleted keys, as long as they can come back.
#[utoipa::path(get, path = "/api/v1/kv/trash", tag = "keys", params(KvTrashQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = KvTrashPage),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn list(
    desk: Desk,
    query: ValidQuery<KvTrashQuery>,
) -> Result<Json<KvTrashPage>, HttpError> {
    let KvTrashQuery { prefix, cursor, limit } = query.into_inner();
    let page = desk.kv()?.trash(&desk.caller, &prefix, cursor.as_deref(), page_items(limit)).await?;
    let shown = |trashed: Trashed| KvTrashed {
        key: trashed.key,
        deleted_at: trashed.deleted_at,
        deleted_by: trashed.deleted_by,
        version: trashed.version,
        size_bytes: trashed.plain_bytes,
    };
    let items = page.items.into_iter().map(shown).collect();
    Ok(Json(KvTrashPage { items, next_cursor: page.next_cursor }))
}

/// Brings a deleted key back, with its history.
#[utoipa::path(post, path = "/api/v1/kv/trash/restore", tag = "keys", request_body = KvTrashRestore,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = KvMeta),
        (status = 404, description = "`key_not_found`: not in the trash", body = Problem),
        (status = 409, description = "`key_exists`: it was stored anew", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn restore(
    desk: Desk,
    body: ValidJson<KvTrashRestore>,
) -> Result<Json<KvMeta>, HttpError> {
    let key = key_in("key", &body.key)?;
    let timed = desk.timed(desk.caller.own_space())?;
    let meta = match timed.checked(desk.kv()?.restore_from_trash(&desk.caller, &key).await) {
        Err(KvError::Conflict { .. }) => return Err(Failure::of(ErrorCode::KeyExists).into()),
        restored => restored?,
    };
    timed.done(Kind::Write, key.as_str(), meta.plain_bytes);
    Ok(Json(wire::meta(key.as_str(), meta)))
}

/// Removes a deleted key for good, with its history.
#[utoipa::path(delete, path = "/api/v1/kv/trash", tag = "keys",
    params(("key" = String, Query, description = "The key")), security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = KvDeleted),
        (status = 404, description = "`key_not_found`: not in the trash", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn purge(
    desk: Desk,
    query: ValidQuery<KvKeyQuery>,
) -> Result<Json<KvDeleted>, HttpError> {
    if query.owner.is_some() {
        return Err(Failure::field("owner", "only the caller's own trash can be emptied").into());
    }
    let key = key_in("key", &query.key)?;
    let purged = desk.kv()?.purge(&desk.caller, &key).await?;
    Ok(Json(KvDeleted { key: query.into_inner().key, revision: purged.revision, version: purged.version }))
}
