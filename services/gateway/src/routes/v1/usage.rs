//! Usage analytics, native.

use std::time::Duration;

use actix_web::web::{Data, Json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coffer_api::page::page_items;
use coffer_api::usage::{
    KeyUse, UnreadKey, UnreadQuery, UsageDays, UsageHours, UsageOverview, UsageQuery, UsageRecent, UsageTop,
    UsedKeyQuery,
};
use coffer_api::{Page, Problem};
use coffer_core::Clock;
use coffer_server::{Failure, HttpError, Session, ValidQuery};

use crate::domain::kv::KEY_BYTES_MAX;
use crate::domain::usage::{self, Access, Report, Unread};
use crate::domain::vault::Vault;
use crate::routes::reports;

/// The longest time that can be asked about, in days.
const DAYS_MAX: u32 = 36_500;

type Answered<T> = Result<Json<T>, HttpError>;

async fn report(
    caller: &Session,
    query: &ValidQuery<UsageQuery>,
    vault: &Vault,
) -> Result<Report, HttpError> {
    let scope = reports::scope(caller, query.scope)?;
    Ok(vault.usage()?.report(scope).await?)
}

/// Everything that is one figure: operations, keys and their sizes, percentiles, suggestions.
#[utoipa::path(get, path = "/api/v1/usage", tag = "usage", params(UsageQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = UsageOverview),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`permission_denied`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn overview(
    caller: Session,
    query: ValidQuery<UsageQuery>,
    vault: Data<Vault>,
) -> Answered<UsageOverview> {
    Ok(Json(reports::overview(&report(&caller, &query, &vault).await?)))
}

/// Operations by day, in the time zone of the service.
#[utoipa::path(get, path = "/api/v1/usage/days", tag = "usage", params(UsageQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = UsageDays),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`permission_denied`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn days(
    caller: Session,
    query: ValidQuery<UsageQuery>,
    vault: Data<Vault>,
) -> Answered<UsageDays> {
    Ok(Json(UsageDays { items: reports::days(&report(&caller, &query, &vault).await?) }))
}

/// Operations by hour.
#[utoipa::path(get, path = "/api/v1/usage/hours", tag = "usage", params(UsageQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = UsageHours),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`permission_denied`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn hours(
    caller: Session,
    query: ValidQuery<UsageQuery>,
    vault: Data<Vault>,
) -> Answered<UsageHours> {
    Ok(Json(UsageHours { items: reports::hours(&report(&caller, &query, &vault).await?) }))
}

/// The keys that are used most.
#[utoipa::path(get, path = "/api/v1/usage/top", tag = "usage", params(UsageQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = UsageTop),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`permission_denied`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn top(
    caller: Session,
    query: ValidQuery<UsageQuery>,
    vault: Data<Vault>,
) -> Answered<UsageTop> {
    Ok(Json(UsageTop { items: reports::top(&report(&caller, &query, &vault).await?) }))
}

/// The latest operations, latest first.
#[utoipa::path(get, path = "/api/v1/usage/recent", tag = "usage", params(UsageQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = UsageRecent),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`permission_denied`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn recent(
    caller: Session,
    query: ValidQuery<UsageQuery>,
    vault: Data<Vault>,
) -> Answered<UsageRecent> {
    Ok(Json(UsageRecent { items: reports::recent(&report(&caller, &query, &vault).await?) }))
}

/// The caller's keys that nobody has read for some days, in no order that means anything. A page may have few
/// keys, or none, and still be followed by others.
#[utoipa::path(get, path = "/api/v1/usage/unread", tag = "usage", params(UnreadQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "A page of keys", body = Page<UnreadKey>),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn unread(
    caller: Session,
    query: ValidQuery<UnreadQuery>,
    (vault, clock): (Data<Vault>, Data<dyn Clock>),
) -> Answered<Page<UnreadKey>> {
    if query.days > DAYS_MAX {
        return Err(Failure::field("days", "is at most 36500").into());
    }
    let asked = usage::UnreadQuery {
        since: clock.now().minus(Duration::from_hours(24) * query.days),
        after: query.cursor.as_deref().map(read_cursor).transpose()?,
        limit: page_items(query.limit),
    };
    let found = vault.usage()?.unread(caller.user_id, &asked).await?;
    let key = |one: Unread| UnreadKey {
        key: one.key,
        reads: one.access.reads,
        writes: one.access.writes,
        last_read_at: one.access.last_read_at,
        last_at: one.access.last_at,
    };
    let next_cursor = found.next.map(|key| URL_SAFE_NO_PAD.encode(key));
    Ok(Json(Page { items: found.keys.into_iter().map(key).collect(), next_cursor }))
}

/// How one of the caller's keys is used.
#[utoipa::path(get, path = "/api/v1/usage/key", tag = "usage", params(UsedKeyQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = KeyUse),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn key(
    caller: Session,
    query: ValidQuery<UsedKeyQuery>,
    vault: Data<Vault>,
) -> Answered<KeyUse> {
    let access = vault.usage()?.key(caller.user_id, &query.key).await?;
    let used = |access: Access| KeyUse {
        reads: access.reads,
        writes: access.writes,
        last_read_at: access.last_read_at,
        last_at: Some(access.last_at),
    };
    Ok(Json(access.map(used).unwrap_or_default()))
}

/// A cursor is the last key of the page before it.
fn read_cursor(cursor: &str) -> Result<String, Failure> {
    let key = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|key| String::from_utf8(key).ok());
    key.filter(|key| key.len() <= KEY_BYTES_MAX)
        .ok_or_else(|| Failure::field("cursor", "is none of this listing"))
}
