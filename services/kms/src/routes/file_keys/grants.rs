//! `/api/v1/grants`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use coffer_api::Problem;
use coffer_api::grants::{CreateGrant, Grant, GrantPage, ListGrants, RevokeGrant};
use coffer_api::page::page_items;
use coffer_auth::permission::{ManageFileKeys, ShareFiles};
use coffer_server::{Granted, HttpError, ValidJson, ValidQuery};

use super::caller::caller;
use super::parse;
use crate::domain::filekeys::{FileKeys, GrantOrder, GrantView};
use crate::routes::visitor::Visitor;

impl From<GrantView> for Grant {
    fn from(grant: GrantView) -> Self {
        Self {
            grantee_email: grant.grantee.as_str().to_owned(),
            permission: grant.permission,
            granted_at: grant.granted_at,
            expires_at: grant.expires_at,
        }
    }
}

/// Gives somebody access to a file of the caller's, or changes what was given. The answer is the same whether
/// or not the address has an account.
#[utoipa::path(post, path = "/api/v1/grants", tag = "grants", request_body = CreateGrant,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The grant", body = Grant),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`permission_denied`: not the owner, no such file, or a grant to \
            oneself; `second_factor_required`", body = Problem),
        (status = 409, description = "`limit_reached`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem)))]
pub(super) async fn create(
    session: Granted<ShareFiles>,
    visitor: Visitor,
    keys: Data<FileKeys>,
    body: ValidJson<CreateGrant>,
) -> Result<Json<Grant>, HttpError> {
    let order = GrantOrder {
        name: parse::name(&body.name)?,
        grantee: parse::email("grantee_email", &body.grantee_email)?,
        permission: body.permission,
        expires_at: body.expires_at,
    };
    Ok(Json(keys.grant(&caller(&session, visitor), &order).await?.into()))
}

/// Lists the live grants of a file of the caller's.
#[utoipa::path(get, path = "/api/v1/grants", tag = "grants", params(ListGrants),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "A page of grants", body = GrantPage),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`permission_denied`: not the owner, or no such file", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem)))]
pub(super) async fn list(
    session: Granted<ManageFileKeys>,
    visitor: Visitor,
    keys: Data<FileKeys>,
    query: ValidQuery<ListGrants>,
) -> Result<Json<GrantPage>, HttpError> {
    let name = parse::name(&query.name)?;
    let at = (query.cursor.as_deref(), page_items(query.limit));
    let page = keys.grants(&caller(&session, visitor), &name, at).await?;
    let items = page.items.into_iter().map(Grant::from).collect();
    Ok(Json(GrantPage { items, next_cursor: page.next }))
}

/// Takes access to a file of the caller's away. Taking away what was never given succeeds.
#[utoipa::path(post, path = "/api/v1/grants/revoke", tag = "grants", request_body = RevokeGrant,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 204, description = "In force"),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`permission_denied`: not the owner, or no such file", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem)))]
pub(super) async fn revoke(
    session: Granted<ManageFileKeys>,
    visitor: Visitor,
    keys: Data<FileKeys>,
    body: ValidJson<RevokeGrant>,
) -> Result<HttpResponse, HttpError> {
    let name = parse::name(&body.name)?;
    let email = parse::email("grantee_email", &body.grantee_email)?;
    keys.revoke(&caller(&session, visitor), &name, &email).await?;
    Ok(HttpResponse::NoContent().finish())
}
