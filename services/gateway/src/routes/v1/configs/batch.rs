//! Several configurations in one call.

use actix_web::web::Json;
use coffer_api::Problem;
use coffer_api::configs::{ConfigBatch, ConfigBatchAnswer, ConfigOutcome, ConfigPromote, ConfigPromoted};
use coffer_server::{Failure, HttpError, Native, ValidJson};
use serde_json::value::RawValue;

use super::wire;
use crate::domain::configs::{Config, Promotion};
use crate::routes::contract::configs::Keyed;

/// Configurations in a batch, at most.
const ITEMS_MAX: usize = 100;
/// Values in an answer, in bytes, at most.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Reads up to 100 configurations; their values are at most 16 MiB together.
#[utoipa::path(post, path = "/api/v1/configs/batch", tag = "configurations", request_body = ConfigBatch,
    security(("user_key" = [])),
    responses(
        (status = 200, description = "What came of each", body = ConfigBatchAnswer),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn batch(
    keyed: Keyed<Native>,
    body: ValidJson<ConfigBatch>,
) -> Result<Json<ConfigBatchAnswer>, HttpError> {
    let ConfigBatch { items, resolve } = body.into_inner();
    if !(1..=ITEMS_MAX).contains(&items.len()) {
        return Err(Failure::field("items", "has 1 to 100 entries").into());
    }
    let addresses: Vec<_> =
        items.iter().map(|item| wire::address(&item.key, item.environment.as_deref())).collect();
    let wanted: Vec<_> = addresses.iter().filter_map(|address| address.as_ref().ok().copied()).collect();
    let mut found = keyed.holder.get_many(&wanted).await?.into_iter();
    let (mut results, mut room) = (Vec::with_capacity(items.len()), ANSWER_BYTES_MAX);
    for address in addresses {
        let config = match address {
            Ok(_) => found
                .next()
                .ok_or_else(|| Failure::internal("a batch answers everything"))?
                .map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        let config = match config {
            Ok(config) if resolve => resolved(&keyed, config).await,
            config => config,
        };
        let outcome = config.and_then(|config| read(config, &mut room));
        results.push(outcome.unwrap_or_else(|failure| refused(&failure)));
    }
    Ok(Json(ConfigBatchAnswer { results }))
}

async fn resolved(keyed: &Keyed<Native>, config: Config) -> Result<Config, Failure> {
    let value = keyed.holder.resolved(&config).await?;
    Ok(Config { value, ..config })
}

fn read(mut config: Config, room: &mut usize) -> Result<ConfigOutcome, Failure> {
    let Some(left) = room.checked_sub(config.value.len()) else {
        return Err(coffer_api::ErrorCode::BodyTooLarge.into());
    };
    *room = left;
    let size_bytes = config.value.len() as u64;
    let value = RawValue::from_string(std::mem::take(&mut config.value)).map_err(Failure::internal)?;
    let meta = coffer_api::configs::ConfigMeta { size_bytes, ..wire::meta(config) };
    Ok(ConfigOutcome { status: 200, meta: Some(meta), value: Some(value), problem: None })
}

fn refused(failure: &Failure) -> ConfigOutcome {
    let mut problem = Problem::of(failure.code);
    if failure.code.status() != 500 {
        problem.detail.clone_from(&failure.detail);
        problem.errors.clone_from(&failure.fields);
    }
    ConfigOutcome { status: failure.code.status(), meta: None, value: None, problem: Some(problem) }
}

/// Copies configurations from one environment to another: all of them at once or none.
#[utoipa::path(post, path = "/api/v1/configs/promote", tag = "configurations", request_body = ConfigPromote,
    security(("user_key" = [])),
    responses(
        (status = 200, body = ConfigPromoted),
        (status = 404, description = "`config_not_found`", body = Problem),
        (status = 409, description = "`config_exists`, without `overwrite`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem),
        (status = 507, description = "`storage_full`", body = Problem)))]
pub(in crate::routes) async fn promote(
    keyed: Keyed<Native>,
    body: ValidJson<ConfigPromote>,
) -> Result<Json<ConfigPromoted>, HttpError> {
    let ConfigPromote { from, to, keys, overwrite } = body.into_inner();
    wire::environment_in("from", Some(&from))?;
    wire::environment_in("to", Some(&to))?;
    for key in &keys {
        wire::address(key, None)?;
    }
    let promotion = Promotion { keys: &keys, from: &from, to: &to, overwrite };
    let done = keyed.holder.promote(promotion).await?;
    Ok(Json(ConfigPromoted { items: done.into_iter().map(wire::meta).collect() }))
}
