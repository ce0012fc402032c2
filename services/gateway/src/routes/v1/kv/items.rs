//! Listing, copying and moving keys.

use actix_web::web::Json;
use coffer_api::Problem;
use coffer_api::kv::{KvCopy, KvListQuery, KvMeta, KvMove, KvPage};
use coffer_api::page::page_items;
use coffer_server::{HttpError, ValidJson, ValidQuery};

use super::desk::{Desk, key_in};
use super::{condition, wire};
use crate::domain::kv::{ListRequest, Listing, Route};
use crate::domain::usage::Kind;

/// Keys by prefix, folded at a delimiter, or by a part of their name.
#[utoipa::path(get, path = "/api/v1/kv/items", tag = "keys", params(KvListQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = KvPage),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn list(
    desk: Desk,
    query: ValidQuery<KvListQuery>,
) -> Result<Json<KvPage>, HttpError> {
    let KvListQuery { prefix, delimiter, search, cursor, limit, owner } = query.into_inner();
    let space = desk.space(owner.as_deref()).await?;
    let request = ListRequest { prefix, delimiter, search, cursor, limit: page_items(limit) };
    let mut listing = desk.kv()?.list(&desk.caller, space, &request).await?;
    let items = std::mem::take(&mut listing.items)
        .into_iter()
        .map(|listed| wire::meta(&listed.key, listed.meta))
        .collect();
    let Listing { common_prefixes, damaged, next_cursor, .. } = listing;
    Ok(Json(KvPage { items, common_prefixes, damaged, next_cursor }))
}

/// Copies a value to another key, also between the spaces of two owners.
#[utoipa::path(post, path = "/api/v1/kv/copy", tag = "keys", request_body = KvCopy,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = KvMeta),
        (status = 403, description = "`access_denied`, `permission_denied`", body = Problem),
        (status = 404, description = "`key_not_found`", body = Problem),
        (status = 412, description = "`revision_mismatch`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn copy(desk: Desk, body: ValidJson<KvCopy>) -> Result<Json<KvMeta>, HttpError> {
    let KvCopy { from, to, owner, to_owner, if_revision, if_absent } = body.into_inner();
    let (source, target) = (key_in("from", &from)?, key_in("to", &to)?);
    let condition = condition::of_fields(if_revision, if_absent)?;
    let spaces = (desk.space(owner.as_deref()).await?, desk.space(to_owner.as_deref()).await?);
    let (reading, writing) = (desk.timed(spaces.0)?, desk.timed(spaces.1)?);
    let route = Route { from: &source, to: &target, condition };
    let meta = writing.checked(desk.kv()?.copy(&desk.caller, spaces, route).await)?;
    reading.done(Kind::Read, &from, meta.plain_bytes);
    writing.done(Kind::Write, &to, meta.plain_bytes);
    Ok(Json(wire::meta(&to, meta)))
}

/// Gives a key another name, at once.
#[utoipa::path(post, path = "/api/v1/kv/move", tag = "keys", request_body = KvMove,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = KvMeta),
        (status = 403, description = "`access_denied`, `permission_denied`", body = Problem),
        (status = 404, description = "`key_not_found`", body = Problem),
        (status = 412, description = "`revision_mismatch`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn rename(
    desk: Desk,
    body: ValidJson<KvMove>,
) -> Result<Json<KvMeta>, HttpError> {
    let KvMove { from, to, owner, if_revision, if_absent } = body.into_inner();
    let (source, target) = (key_in("from", &from)?, key_in("to", &to)?);
    let condition = condition::of_fields(if_revision, if_absent)?;
    let space = desk.space(owner.as_deref()).await?;
    let timed = desk.timed(space)?;
    let route = Route { from: &source, to: &target, condition };
    let meta = timed.checked(desk.kv()?.rename(&desk.caller, space, route).await)?;
    if from != to {
        timed.done(Kind::Delete, &from, 0);
        timed.done(Kind::Write, &to, meta.plain_bytes);
    }
    Ok(Json(wire::meta(&to, meta)))
}
