//! One value: reading, storing and deleting it. A body is the value, as it is.

use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Json;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use coffer_api::kv::{JSON, KvDeleteQuery, KvDeleted, KvGetQuery, KvKeyQuery, KvMeta, KvPutQuery};
use coffer_api::{ErrorCode, Problem};
use coffer_server::{BytesBody, Failure, HeldBody, HttpError, ValidQuery};
use serde_json::value::RawValue;

use super::desk::{Desk, key_in};
use super::{condition, wire};
use crate::domain::kv::{Item, KvError, PlainValue, PutRequest};
use crate::domain::usage::Kind;

/// The longest media type.
const CONTENT_TYPE_BYTES_MAX: usize = 255;
/// What a browser may make of a value that somebody else stored: nothing.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";
/// The response header with the version of the value.
const VERSION: &str = "coffer-kv-version";

/// A value: its bytes, and its media type in `Content-Type`.
#[utoipa::path(get, path = "/api/v1/kv/value", tag = "keys", params(KvGetQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The value; `ETag` has its revision, `coffer-kv-version` its version"),
        (status = 304, description = "`If-None-Match` names this revision"),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 404, description = "`key_not_found`, `version_not_found`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn get(
    desk: Desk,
    query: ValidQuery<KvGetQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, HttpError> {
    let KvGetQuery { key, owner, version } = query.into_inner();
    let (key, space) = (key_in("key", &key)?, desk.space(owner.as_deref()).await?);
    let timed = desk.timed(space)?;
    let Item { meta, value, mut held } = desk.kv()?.get(&desk.caller, space, &key, version).await?;
    timed.done(Kind::Read, key.as_str(), meta.plain_bytes);
    let tag = condition::tag(meta.revision);
    if condition::is_known(&request, meta.revision) {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish());
    }
    let mut answer = HttpResponse::Ok();
    answer
        .content_type(wire::content_type(meta.kind))
        .insert_header((header::ETAG, tag))
        .insert_header((VERSION, meta.version))
        .insert_header((header::CONTENT_DISPOSITION, "attachment"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"));
    let bytes = value.as_bytes().clone();
    if !held.is_counted() {
        return Ok(answer.body(bytes));
    }
    held.shrink(bytes.len());
    Ok(answer.body(HeldBody::new(bytes, held)))
}

/// Stores a value: JSON if `Content-Type` says so or is absent, else bytes of that type.
#[utoipa::path(put, path = "/api/v1/kv/value", tag = "keys", params(KvPutQuery),
    security(("sid" = []), ("bearer" = [])),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = KvMeta),
        (status = 400, description = "`bad_request`: not JSON", body = Problem),
        (status = 403, description = "`access_denied`, `permission_denied`", body = Problem),
        (status = 409, description = "`limit_reached`", body = Problem),
        (status = 412, description = "`revision_mismatch`", body = Problem),
        (status = 413, description = "`body_too_large`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn put(
    desk: Desk,
    query: ValidQuery<KvPutQuery>,
    request: HttpRequest,
    body: BytesBody,
) -> Result<HttpResponse, HttpError> {
    let KvPutQuery { key, owner, expires_at, encrypt, compress, if_revision, if_absent } = query.into_inner();
    let (bytes, _reservation) = body.into_parts();
    let order = PutRequest {
        key: key_in("key", &key)?,
        value: value_of(request.headers(), bytes)?,
        expires_at,
        condition: condition::of_request(&request, if_revision, if_absent)?,
        encrypt,
        compress,
    };
    let space = desk.space(owner.as_deref()).await?;
    let timed = desk.timed(space)?;
    let meta = timed.checked(desk.kv()?.put(&desk.caller, space, &order).await)?;
    timed.done(Kind::Write, &key, meta.plain_bytes);
    let tag = condition::tag(meta.revision);
    Ok(HttpResponse::Ok().insert_header((header::ETAG, tag)).json(wire::meta(&key, meta)))
}

/// Deletes a key. It goes to the trash, with its history.
#[utoipa::path(delete, path = "/api/v1/kv/value", tag = "keys", params(KvDeleteQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = KvDeleted),
        (status = 403, description = "`access_denied`, `permission_denied`", body = Problem),
        (status = 404, description = "`key_not_found`", body = Problem),
        (status = 412, description = "`revision_mismatch`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn delete(
    desk: Desk,
    query: ValidQuery<KvDeleteQuery>,
    request: HttpRequest,
) -> Result<Json<KvDeleted>, HttpError> {
    let KvDeleteQuery { key, owner, if_revision } = query.into_inner();
    let condition = condition::of_request(&request, if_revision, false)?;
    let (name, space) = (key_in("key", &key)?, desk.space(owner.as_deref()).await?);
    let timed = desk.timed(space)?;
    let deleted = timed.checked(desk.kv()?.delete(&desk.caller, space, &name, condition).await)?;
    timed.done(Kind::Delete, &key, 0);
    Ok(Json(KvDeleted { key, revision: deleted.revision, version: deleted.version }))
}

/// What is known of a key, without its value.
#[utoipa::path(get, path = "/api/v1/kv/meta", tag = "keys", params(KvKeyQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = KvMeta),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 404, description = "`key_not_found`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn meta(
    desk: Desk,
    query: ValidQuery<KvKeyQuery>,
) -> Result<Json<KvMeta>, HttpError> {
    let (key, space) = (key_in("key", &query.key)?, desk.space(query.owner.as_deref()).await?);
    Ok(Json(wire::meta(&query.key, desk.kv()?.meta(&desk.caller, space, &key).await?)))
}

fn value_of(headers: &HeaderMap, bytes: Bytes) -> Result<PlainValue, Failure> {
    let content_type = match headers.get(header::CONTENT_TYPE) {
        Some(value) => value.to_str().map_err(|_| no_media_type())?.trim(),
        None => JSON,
    };
    if essence(content_type).eq_ignore_ascii_case(JSON) {
        return json(&bytes);
    }
    Ok(PlainValue::bytes(media_type(content_type)?, bytes))
}

fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn no_media_type() -> Failure {
    Failure::field("content_type", "is not a media type")
}

/// The text, if bytes can be of this type and it can stand in a header.
pub(super) fn media_type(text: &str) -> Result<String, Failure> {
    let is_visible = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if text.len() > CONTENT_TYPE_BYTES_MAX || !is_visible || !essence(text).contains('/') {
        return Err(no_media_type());
    }
    Ok(text.to_owned())
}

/// A JSON value as it was written, without what stands around it.
fn json(bytes: &[u8]) -> Result<PlainValue, Failure> {
    let text: Box<RawValue> = serde_json::from_slice(bytes).map_err(|error| {
        let place =
            format!("the value is not valid JSON at line {}, column {}", error.line(), error.column());
        Failure::of(ErrorCode::BadRequest).with_detail(place)
    })?;
    Ok(PlainValue::json(text))
}

/// What a batch is told about a value that it cannot have.
pub(super) fn too_large(bytes_max: usize) -> Failure {
    KvError::ValueTooLarge { bytes_max }.into()
}
