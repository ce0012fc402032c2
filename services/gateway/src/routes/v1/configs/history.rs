//! Earlier versions, and how values differ.

use actix_web::web::Json;
use coffer_api::Problem;
use coffer_api::configs::{ConfigDiffQuery, ConfigHistory, ConfigMeta, ConfigQuery, ConfigRollback};
use coffer_api::kv::KvDiff;
use coffer_server::{Failure, HttpError, Native, ValidJson, ValidQuery};
use serde_json::value::RawValue;

use super::wire;
use crate::domain::configs::{Address, Config};
use crate::domain::kv::{PlainValue, differences};
use crate::routes::contract::configs::Keyed;
use crate::routes::v1::kv;

/// The versions of a configuration that are kept, the current one first.
#[utoipa::path(get, path = "/api/v1/configs/history", tag = "configurations", params(ConfigQuery),
    security(("user_key" = [])),
    responses(
        (status = 200, body = ConfigHistory),
        (status = 400, description = "`environment_needed`", body = Problem),
        (status = 404, description = "`config_not_found`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn history(
    keyed: Keyed<Native>,
    query: ValidQuery<ConfigQuery>,
) -> Result<Json<ConfigHistory>, HttpError> {
    let address = wire::address(&query.key, query.environment.as_deref())?;
    let versions = keyed.holder.history(address).await?;
    Ok(Json(ConfigHistory { items: versions.into_iter().map(wire::meta).collect() }))
}

/// How two versions of a configuration differ, or its values in two environments.
#[utoipa::path(get, path = "/api/v1/configs/diff", tag = "configurations", params(ConfigDiffQuery),
    security(("user_key" = [])),
    responses(
        (status = 200, body = KvDiff),
        (status = 400, description = "`environment_needed`", body = Problem),
        (status = 404, description = "`config_not_found`, `version_not_found`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn diff(
    keyed: Keyed<Native>,
    query: ValidQuery<ConfigDiffQuery>,
) -> Result<Json<KvDiff>, HttpError> {
    let ConfigDiffQuery { key, environment, from, to_environment, to } = query.into_inner();
    wire::environment_in("to_environment", to_environment.as_deref())?;
    let one = wire::address(&key, environment.as_deref())?;
    let other = Address { environment: to_environment.as_deref().or(one.environment), ..one };
    let (from, to) = (value(&keyed, one, from).await?, value(&keyed, other, to).await?);
    Ok(Json(kv::diff(differences(&from, &to))))
}

async fn value(
    keyed: &Keyed<Native>,
    address: Address<'_>,
    version: Option<u64>,
) -> Result<PlainValue, Failure> {
    let config: Config = match version {
        Some(version) => keyed.holder.version(address, version).await?,
        None => keyed.holder.get(address).await?,
    };
    RawValue::from_string(config.value).map(PlainValue::json).map_err(Failure::internal)
}

/// Stores an earlier version anew, as the next one.
#[utoipa::path(post, path = "/api/v1/configs/rollback", tag = "configurations", request_body = ConfigRollback,
    security(("user_key" = [])),
    responses(
        (status = 200, body = ConfigMeta),
        (status = 400, description = "`environment_needed`", body = Problem),
        (status = 404, description = "`config_not_found`, `version_not_found`", body = Problem),
        (status = 412, description = "`revision_mismatch`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn rollback(
    keyed: Keyed<Native>,
    body: ValidJson<ConfigRollback>,
) -> Result<Json<ConfigMeta>, HttpError> {
    let ConfigRollback { key, environment, version, if_version } = body.into_inner();
    let address = wire::address(&key, environment.as_deref())?;
    let condition = wire::condition(if_version, false)?;
    Ok(Json(wire::meta(keyed.holder.roll_back(address, version, condition).await?)))
}
