//! JSON Schema: what a value must be like.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Json;
use coffer_api::Problem;
use coffer_api::configs::{ConfigMeta, ConfigQuery};
use coffer_server::{BytesBody, Failure, HttpError, Native, ValidQuery};

use super::wire;
use crate::routes::contract::configs::Keyed;

/// The schema of a configuration, as it was written.
#[utoipa::path(get, path = "/api/v1/configs/schema", tag = "configurations", params(ConfigQuery),
    security(("user_key" = [])),
    responses(
        (status = 200, description = "The schema", content_type = "application/schema+json"),
        (status = 400, description = "`environment_needed`", body = Problem),
        (status = 404, description = "`config_not_found`, `schema_not_found`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn get(
    keyed: Keyed<Native>,
    query: ValidQuery<ConfigQuery>,
) -> Result<HttpResponse, HttpError> {
    let address = wire::address(&query.key, query.environment.as_deref())?;
    let schema = keyed.holder.schema(address).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/schema+json")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(schema))
}

/// Gives a configuration a schema: JSON Schema, draft 2020-12, at most 64 KiB. From then on every value that is
/// stored there must match. It refers to its own parts only (`$ref` with `#/…`), never in a circle; patterns are regular expressions without
/// look-around and back-references.
#[utoipa::path(put, path = "/api/v1/configs/schema", tag = "configurations", params(ConfigQuery),
    security(("user_key" = [])), request_body(content = Object, content_type = "application/schema+json"),
    responses(
        (status = 200, body = ConfigMeta),
        (status = 400, description = "`environment_needed`", body = Problem),
        (status = 404, description = "`config_not_found`", body = Problem),
        (status = 422, description = "`invalid_input`: this is no schema; `schema_mismatch`: the value that is there does not match", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem),
        (status = 507, description = "`storage_full`", body = Problem)))]
pub(in crate::routes) async fn put(
    keyed: Keyed<Native>,
    query: ValidQuery<ConfigQuery>,
    body: BytesBody,
) -> Result<Json<ConfigMeta>, HttpError> {
    let address = wire::address(&query.key, query.environment.as_deref())?;
    let (bytes, _reservation) = body.into_parts();
    let schema = std::str::from_utf8(&bytes).map_err(|_| Failure::field("body", "is not UTF-8"))?;
    Ok(Json(wire::meta(keyed.holder.set_schema(address, Some(schema)).await?)))
}

/// Takes the schema of a configuration away.
#[utoipa::path(delete, path = "/api/v1/configs/schema", tag = "configurations", params(ConfigQuery),
    security(("user_key" = [])),
    responses(
        (status = 200, body = ConfigMeta),
        (status = 400, description = "`environment_needed`", body = Problem),
        (status = 404, description = "`config_not_found`, `schema_not_found`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn delete(
    keyed: Keyed<Native>,
    query: ValidQuery<ConfigQuery>,
) -> Result<Json<ConfigMeta>, HttpError> {
    let address = wire::address(&query.key, query.environment.as_deref())?;
    Ok(Json(wire::meta(keyed.holder.set_schema(address, None).await?)))
}
