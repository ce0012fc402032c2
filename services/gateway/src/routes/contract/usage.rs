//! `/stats` and `/analysis`.

use actix_web::web::{Data, Json};
use coffer_api::contract::usage::{Analysis, ScopeQuery, Stats};
use coffer_api::contract::validation::ValidationErrors;
use coffer_server::{ContractQuery, DetailContract, HttpError};

use crate::domain::vault::Vault;
use crate::routes::caller::Caller;
use crate::routes::reports;

type Answered<T> = Result<Json<T>, HttpError<DetailContract>>;

/// Keys, their sizes, and which are used most.
#[utoipa::path(get, path = "/stats", tag = "usage", params(ScopeQuery), security(("bearer" = [])),
    responses(
        (status = 200, body = Stats),
        (status = 401, description = "`Not authenticated` or `Invalid or expired session`"),
        (status = 403, description = "`Admin access required`, for all"),
        (status = 422, description = "No such scope", body = ValidationErrors),
        (status = 503, description = "Out of reach, with `Retry-After`")))]
pub(in crate::routes) async fn stats(
    caller: Caller,
    query: ContractQuery<ScopeQuery>,
    vault: Data<Vault>,
) -> Answered<Stats> {
    let scope = reports::scope(&caller, query.scope)?;
    let report = vault.usage()?.report(scope).await?;
    Ok(Json(reports::stats(&report)))
}

/// How keys are used, and what that suggests.
#[utoipa::path(get, path = "/analysis", tag = "usage", params(ScopeQuery), security(("bearer" = [])),
    responses(
        (status = 200, body = Analysis),
        (status = 401, description = "`Not authenticated` or `Invalid or expired session`"),
        (status = 403, description = "`Admin access required`, for all"),
        (status = 422, description = "No such scope", body = ValidationErrors),
        (status = 503, description = "Out of reach, with `Retry-After`")))]
pub(in crate::routes) async fn analysis(
    caller: Caller,
    query: ContractQuery<ScopeQuery>,
    vault: Data<Vault>,
) -> Answered<Analysis> {
    let scope = reports::scope(&caller, query.scope)?;
    let usage = vault.usage()?;
    let report = usage.report(scope).await?;
    Ok(Json(reports::analysis(&report, usage.calendar())))
}
