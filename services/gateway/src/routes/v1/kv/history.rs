//! Earlier versions of a key.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::Json;
use coffer_api::Problem;
use coffer_api::kv::{KvDiff, KvDiffQuery, KvHistory, KvKeyQuery, KvMeta, KvRestore};
use coffer_server::{Failure, HeldBody, HttpError, ValidJson, ValidQuery};

use super::desk::{Desk, key_in};
use super::{condition, wire};
use crate::domain::kv::Compared;
use crate::domain::usage::Kind;

/// The versions of a key that are kept, the current one first.
#[utoipa::path(get, path = "/api/v1/kv/history", tag = "keys", params(KvKeyQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = KvHistory),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 404, description = "`key_not_found`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn history(
    desk: Desk,
    query: ValidQuery<KvKeyQuery>,
) -> Result<Json<KvHistory>, HttpError> {
    let (key, space) = (key_in("key", &query.key)?, desk.space(query.owner.as_deref()).await?);
    let versions = desk.kv()?.history(&desk.caller, space, &key).await?;
    Ok(Json(KvHistory { items: versions.into_iter().map(|meta| wire::meta(&query.key, meta)).collect() }))
}

/// How two versions of a key differ.
#[utoipa::path(get, path = "/api/v1/kv/diff", tag = "keys", params(KvDiffQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = KvDiff),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 404, description = "`key_not_found`, `version_not_found`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn diff(
    desk: Desk,
    query: ValidQuery<KvDiffQuery>,
) -> Result<HttpResponse, HttpError> {
    let (key, space) = (key_in("key", &query.key)?, desk.space(query.owner.as_deref()).await?);
    let (kv, timed) = (desk.kv()?, desk.timed(space)?);
    let Compared { difference, read_bytes, held: [mut held, other] } =
        kv.diff(&desk.caller, space, &key, (query.from, query.to)).await?;
    timed.done(Kind::Read, key.as_str(), read_bytes);
    if !held.is_counted() && !other.is_counted() {
        return Ok(HttpResponse::Ok().json(wire::diff(difference)));
    }
    let write = move || {
        let text = serde_json::to_vec(&wire::diff(difference)).map_err(Failure::internal)?;
        held.shrink(text.len());
        Ok::<_, Failure>((text, (held, other)))
    };
    let (text, held) = kv.bench().run(read_bytes, write).await??;
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(HeldBody::new(text, held)))
}

/// Stores an earlier version anew, as the key's next one.
#[utoipa::path(post, path = "/api/v1/kv/restore", tag = "keys", request_body = KvRestore,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = KvMeta),
        (status = 403, description = "`access_denied`, `permission_denied`", body = Problem),
        (status = 404, description = "`key_not_found`, `version_not_found`", body = Problem),
        (status = 412, description = "`revision_mismatch`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn restore(
    desk: Desk,
    body: ValidJson<KvRestore>,
) -> Result<Json<KvMeta>, HttpError> {
    let KvRestore { key, version, owner, if_revision } = body.into_inner();
    let (name, condition) = (key_in("key", &key)?, condition::of_fields(if_revision, false)?);
    let space = desk.space(owner.as_deref()).await?;
    let timed = desk.timed(space)?;
    let restored = desk.kv()?.restore(&desk.caller, space, &name, (version, condition)).await;
    let meta = timed.checked(restored)?;
    timed.done(Kind::Write, &key, meta.plain_bytes);
    Ok(Json(wire::meta(&key, meta)))
}
