//! What nobody has read for some time.

use std::time::Duration;

use actix_web::web::Json;
use coffer_api::Problem;
use coffer_api::configs::{ConfigUnreadPage, ConfigUnreadQuery, UnreadConfig};
use coffer_api::page::page_items;
use coffer_server::{BytesInFlight, Failure, HttpError, Native, ValidQuery};

use super::wire;
use crate::domain::configs::Filter;
use crate::routes::contract::configs::Keyed;

const DAY: Duration = Duration::from_hours(24);
const DAYS_MAX: u32 = 3660;
const DAYS: u32 = 30;

/// Configurations that nobody has read for so many days. A read is one of the value, alone, in a batch, in the contract's list or by way of a
/// reference; not a listing without values, nor an export. Its hour is known some seconds afterwards, everywhere.
#[utoipa::path(get, path = "/api/v1/configs/unread", tag = "configurations", params(ConfigUnreadQuery),
    security(("user_key" = [])),
    responses(
        (status = 200, body = ConfigUnreadPage),
        (status = 401, description = "`invalid_user_key`", body = Problem),
        (status = 403, description = "`invalid_api_key`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn unread(
    keyed: Keyed<Native>,
    in_flight: BytesInFlight,
    query: ValidQuery<ConfigUnreadQuery>,
) -> Result<Json<ConfigUnreadPage>, HttpError> {
    let ConfigUnreadQuery { days, environment, category, cursor, limit } = query.into_inner();
    let days = days.unwrap_or(DAYS);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(Failure::field("days", "is 1 to 3660").into());
    }
    let _share = keyed.share_of_all(&in_flight).await?;
    let filter = Filter { category: category.as_deref(), environment: environment.as_deref() };
    let mut unread = keyed.holder.unread(filter, DAY * days).await?;
    let after = cursor.unwrap_or(0);
    unread.retain(|one| one.meta.id > after);
    let more = unread.split_off(page_items(limit).min(unread.len()));
    let next_cursor = unread.last().filter(|_| !more.is_empty()).map(|last| last.meta.id);
    let items = unread
        .into_iter()
        .map(|one| UnreadConfig { config: wire::meta(one.meta), read_at: one.read_at })
        .collect();
    Ok(Json(ConfigUnreadPage { items, next_cursor }))
}
