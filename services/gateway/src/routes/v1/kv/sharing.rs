//! Giving others access to keys, and taking it back.

use std::collections::HashMap;

use actix_web::HttpResponse;
use actix_web::web::Json;
use coffer_api::internal::users::USERS_MAX;
use coffer_api::kv::{KvGrant, KvGrants, KvNewGrant, KvRevoke, KvShared, KvSharedKeys, KvSharedQuery};
use coffer_api::page::page_items;
use coffer_api::{Problem, Role};
use coffer_core::{EmailAddress, UserId};
use coffer_server::{Failure, HttpError, ValidJson, ValidQuery};

use super::desk::Desk;
use super::wire;
use crate::domain::kv::{GrantOrder, Grantee, Scope, SharedRequest};

/// Gives access to keys of the caller's own. The answer is the same whether or not an address has an account.
#[utoipa::path(post, path = "/api/v1/kv/grants", tag = "sharing keys", request_body = KvNewGrant,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = KvGrant),
        (status = 409, description = "`limit_reached`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn grant(
    desk: Desk,
    body: ValidJson<KvNewGrant>,
) -> Result<Json<KvGrant>, HttpError> {
    let KvNewGrant { key, prefix, email, role, permission, expires_at } = body.into_inner();
    let scope = scope_of(key, prefix)?;
    let grantee = grantee_of(&desk, email, role).await?;
    let order = GrantOrder { grantee, scope, permission, expires_at };
    Ok(Json(wire::grant(desk.kv()?.grant(&desk.caller, &order).await?)))
}

/// Takes access back. It is out of force everywhere within 2 s.
#[utoipa::path(post, path = "/api/v1/kv/grants/revoke", tag = "sharing keys", request_body = KvRevoke,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "`grant_not_found`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn revoke(
    desk: Desk,
    body: ValidJson<KvRevoke>,
) -> Result<HttpResponse, HttpError> {
    let KvRevoke { key, prefix, email, role } = body.into_inner();
    let scope = scope_of(key, prefix)?;
    let grantee = grantee_of(&desk, email, role).await?;
    desk.kv()?.revoke(&desk.caller, &grantee, &scope).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The live grants that the caller has given.
#[utoipa::path(get, path = "/api/v1/kv/grants", tag = "sharing keys", security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = KvGrants),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn grants(desk: Desk) -> Result<Json<KvGrants>, HttpError> {
    let grants = desk.kv()?.grants(&desk.caller).await?;
    Ok(Json(KvGrants { items: grants.into_iter().map(wire::grant).collect() }))
}

/// What others share with the caller, page by page.
#[utoipa::path(get, path = "/api/v1/kv/shared", tag = "sharing keys", params(KvSharedQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = KvSharedKeys),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn shared(
    desk: Desk,
    query: ValidQuery<KvSharedQuery>,
) -> Result<Json<KvSharedKeys>, HttpError> {
    let KvSharedQuery { owner, cursor, limit } = query.into_inner();
    let owner = match &owner {
        Some(owner) => Some(desk.space(Some(owner)).await?.owner),
        None => None,
    };
    let request = SharedRequest { owner, cursor, limit: page_items(limit) };
    let page = desk.kv()?.shared_with_me(&desk.caller, &request).await?;
    let mut owners: Vec<UserId> = page.items.iter().map(|shared| shared.owner).collect();
    owners.sort_unstable();
    owners.dedup();
    let mut emails: HashMap<UserId, String> = HashMap::new();
    for owners in owners.chunks(USERS_MAX) {
        let users = desk.kms.user_facts(owners).await?;
        emails.extend(users.into_iter().map(|user| (user.id, user.email)));
    }
    let items = page.items.into_iter().map(|shared| {
        let (key, prefix) = wire::scope(shared.scope);
        KvShared {
            owner: shared.owner,
            owner_email: emails.get(&shared.owner).cloned(),
            key,
            prefix,
            permission: shared.permission,
            granted_at: shared.granted_at,
            expires_at: shared.expires_at,
        }
    });
    Ok(Json(KvSharedKeys { items: items.collect(), next_cursor: page.next_cursor }))
}

fn scope_of(key: Option<String>, prefix: Option<String>) -> Result<Scope, Failure> {
    match (key, prefix) {
        (Some(key), None) => Ok(Scope::Key(key)),
        (None, Some(prefix)) => Ok(Scope::Prefix(prefix)),
        _ => Err(Failure::field("key", "give either a key or a prefix")),
    }
}

async fn grantee_of(desk: &Desk, email: Option<String>, role: Option<Role>) -> Result<Grantee, Failure> {
    match (email, role) {
        (Some(email), None) => {
            let address: EmailAddress =
                email.parse().map_err(|_| Failure::field("email", "is not an e-mail address"))?;
            Ok(Grantee::User { address: desk.kms.blind_address(&address).await?, email })
        }
        (None, Some(role)) => Ok(Grantee::Role(role)),
        _ => Err(Failure::field("email", "give either an e-mail address or a role")),
    }
}
