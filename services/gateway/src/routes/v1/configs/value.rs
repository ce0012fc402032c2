//! One value: reading, storing and deleting it. A body is the value, as it is.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Json;
use coffer_api::configs::{ConfigDeleteQuery, ConfigGetQuery, ConfigMeta, ConfigPutQuery, ConfigStored};
use coffer_api::kv::JSON;
use coffer_api::{ErrorCode, Problem};
use coffer_server::{BytesBody, Failure, HttpError, Native, ValidQuery};
use serde_json::value::RawValue;

use super::wire;
use crate::domain::configs::NewConfig;
use crate::routes::contract::configs::Keyed;

/// The response header with the version of the value.
const VERSION: &str = "coffer-config-version";

/// A value: JSON, as it was written.
#[utoipa::path(get, path = "/api/v1/configs/value", tag = "configurations", params(ConfigGetQuery),
    security(("user_key" = [])),
    responses(
        (status = 200, description = "The value; `coffer-config-version` has its version"),
        (status = 400, description = "`environment_needed`", body = Problem),
        (status = 404, description = "`config_not_found`, `version_not_found`", body = Problem),
        (status = 409, description = "`reference_unresolved`, with `resolve`: says which, and where it leads", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn get(
    keyed: Keyed<Native>,
    query: ValidQuery<ConfigGetQuery>,
) -> Result<HttpResponse, HttpError> {
    let address = wire::address(&query.key, query.environment.as_deref())?;
    let mut config = match query.version {
        Some(version) => keyed.holder.version(address, version).await?,
        None => keyed.holder.get(address).await?,
    };
    if query.resolve {
        config.value = keyed.holder.resolved(&config).await?;
    }
    Ok(HttpResponse::Ok()
        .content_type(JSON)
        .insert_header((VERSION, config.version))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(config.value))
}

/// Stores a value: the body is JSON.
#[utoipa::path(put, path = "/api/v1/configs/value", tag = "configurations", params(ConfigPutQuery),
    security(("user_key" = [])), request_body(content = Object, content_type = "application/json"),
    responses(
        (status = 200, body = ConfigStored),
        (status = 400, description = "`bad_request`: not JSON", body = Problem),
        (status = 412, description = "`revision_mismatch`", body = Problem),
        (status = 413, description = "`body_too_large`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem),
        (status = 507, description = "`storage_full`", body = Problem)))]
pub(in crate::routes) async fn put(
    keyed: Keyed<Native>,
    query: ValidQuery<ConfigPutQuery>,
    body: BytesBody,
) -> Result<Json<ConfigStored>, HttpError> {
    let ConfigPutQuery { key, environment, category, if_version, if_absent } = query.into_inner();
    let (bytes, _reservation) = body.into_parts();
    let value: &RawValue = serde_json::from_slice(&bytes).map_err(|error| {
        let place =
            format!("the value is not valid JSON at line {}, column {}", error.line(), error.column());
        Failure::of(ErrorCode::BadRequest).with_detail(place)
    })?;
    wire::address(&key, environment.as_deref())?;
    wire::category_in(category.as_deref())?;
    let condition = wire::condition(if_version, if_absent)?;
    let (environment, category) = (environment.as_deref(), category.as_deref());
    let new = NewConfig { key: &key, environment, category, value: value.get() };
    let meta = wire::meta(keyed.holder.put(new, condition).await?);
    Ok(Json(ConfigStored { meta, key_advice: keyed.holder.advice().map(str::to_owned) }))
}

/// Deletes a configuration, with its history.
#[utoipa::path(delete, path = "/api/v1/configs/value", tag = "configurations", params(ConfigDeleteQuery),
    security(("user_key" = [])),
    responses(
        (status = 200, description = "What there was", body = ConfigMeta),
        (status = 400, description = "`environment_needed`", body = Problem),
        (status = 404, description = "`config_not_found`", body = Problem),
        (status = 412, description = "`revision_mismatch`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn delete(
    keyed: Keyed<Native>,
    query: ValidQuery<ConfigDeleteQuery>,
) -> Result<Json<ConfigMeta>, HttpError> {
    let address = wire::address(&query.key, query.environment.as_deref())?;
    let condition = wire::condition(query.if_version, false)?;
    Ok(Json(wire::meta(keyed.holder.delete_if(address, condition).await?)))
}
