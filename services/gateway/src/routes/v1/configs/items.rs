//! Listing configurations, and moving them all to another user key.

use std::collections::BTreeMap;

use actix_web::web::Json;
use coffer_api::Problem;
use coffer_api::configs::{
    ConfigGroup, ConfigListQuery, ConfigPage, ConfigRekey, ConfigRekeyed, ConfigSummary,
};
use coffer_api::contract::configs::check_user_key;
use coffer_api::page::page_items;
use coffer_server::{BytesInFlight, Failure, HttpError, Native, ValidJson, ValidQuery};

use super::wire;
use crate::domain::configs::Filter;
use crate::routes::contract::configs::Keyed;

/// Configurations without their values, in the order in which they were made.
#[utoipa::path(get, path = "/api/v1/configs/items", tag = "configurations", params(ConfigListQuery),
    security(("user_key" = [])),
    responses(
        (status = 200, body = ConfigPage),
        (status = 401, description = "`invalid_user_key`", body = Problem),
        (status = 403, description = "`invalid_api_key`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn list(
    keyed: Keyed<Native>,
    in_flight: BytesInFlight,
    query: ValidQuery<ConfigListQuery>,
) -> Result<Json<ConfigPage>, HttpError> {
    let _share = keyed.share_of_all(&in_flight).await?;
    let ConfigListQuery { prefix, environment, category, cursor, limit } = query.into_inner();
    let filter = Filter { category: category.as_deref(), environment: environment.as_deref() };
    let mut configs = keyed.holder.list_meta(filter).await?;
    let after = cursor.unwrap_or(0);
    configs.retain(|config| config.id > after && config.key.starts_with(&prefix));
    let more = configs.split_off(page_items(limit).min(configs.len()));
    let next_cursor = configs.last().filter(|_| !more.is_empty()).map(|last| last.id);
    Ok(Json(ConfigPage { items: configs.into_iter().map(wire::meta).collect(), next_cursor }))
}

/// Environments and categories, and advice about the user key.
#[utoipa::path(get, path = "/api/v1/configs/summary", tag = "configurations", security(("user_key" = [])),
    responses(
        (status = 200, body = ConfigSummary),
        (status = 401, description = "`invalid_user_key`", body = Problem),
        (status = 403, description = "`invalid_api_key`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn summary(
    keyed: Keyed<Native>,
    in_flight: BytesInFlight,
) -> Result<Json<ConfigSummary>, HttpError> {
    let _share = keyed.share_of_all(&in_flight).await?;
    let (mut environments, mut categories) = (BTreeMap::new(), BTreeMap::new());
    for config in keyed.holder.list_meta(Filter::default()).await? {
        *environments.entry(config.environment).or_default() += 1;
        if let Some(category) = config.category {
            *categories.entry(category).or_default() += 1;
        }
    }
    let key_advice = keyed.holder.advice().map(str::to_owned);
    Ok(Json(ConfigSummary { environments: groups(environments), categories: groups(categories), key_advice }))
}

fn groups(counts: BTreeMap<String, u64>) -> Vec<ConfigGroup> {
    counts.into_iter().map(|(name, configs)| ConfigGroup { name, configs }).collect()
}

/// Moves everything under the user key to another one, at once.
#[utoipa::path(post, path = "/api/v1/configs/rekey", tag = "configurations", request_body = ConfigRekey,
    security(("user_key" = [])),
    responses(
        (status = 200, body = ConfigRekeyed),
        (status = 404, description = "`config_not_found`: nothing is kept under the user key", body = Problem),
        (status = 409, description = "`user_key_in_use`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn rekey(
    keyed: Keyed<Native>,
    body: ValidJson<ConfigRekey>,
) -> Result<Json<ConfigRekeyed>, HttpError> {
    let new = body.into_inner().new_user_key;
    let form = "has 8 characters to 1024 bytes, no control characters, and no spaces at its ends";
    check_user_key(new.expose()).map_err(|_| Failure::field("new_user_key", form))?;
    let key_advice = keyed.rekey(new.expose()).await?.map(str::to_owned);
    Ok(Json(ConfigRekeyed { key_advice }))
}
