//! `/api/v1/users`, for administrators.

use actix_web::web::{Data, Json};
use coffer_api::Problem;
use coffer_api::identity::{User, UserChange as Wished, UserPage, UserQuery};
use coffer_api::page::page_items;
use coffer_auth::permission::ManageUsers;
use coffer_core::UserId;
use coffer_server::{Failure, Granted, HttpError, ValidJson, ValidPath, ValidQuery};

use super::wire;
use crate::domain::identity::{Identity, UserChange};
use crate::routes::visitor::Visitor;

/// Lists users by number, or the one with an address.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(UserQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "A page of users", body = UserPage),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`permission_denied` or `second_factor_required`", body = Problem)))]
pub(in crate::routes) async fn list(
    _: Granted<ManageUsers>,
    query: ValidQuery<UserQuery>,
    identity: Data<Identity>,
) -> Result<Json<UserPage>, HttpError> {
    if let Some(email) = &query.email {
        let user = identity.user_by_email(&wire::email(email)?).await?;
        return Ok(Json(UserPage { items: user.map(wire::user).into_iter().collect(), next_cursor: None }));
    }
    let after = query.cursor.as_deref().map_or(Ok(0), str::parse);
    let after = after.map_err(|_| Failure::field("cursor", "is none of this listing"))?;
    let page = identity.list_users(after, page_items(query.limit)).await?;
    let next_cursor = page.next.map(|number| number.to_string());
    Ok(Json(UserPage { items: page.items.into_iter().map(wire::user).collect(), next_cursor }))
}

/// Changes a user's role, shuts a user out or lets one in; in force at once.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", request_body = Wished,
    security(("sid" = []), ("bearer" = [])), params(("id" = String, Path, description = "The user's id")),
    responses(
        (status = 200, body = User),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`permission_denied` or `second_factor_required`", body = Problem),
        (status = 404, description = "`user_not_found`", body = Problem),
        (status = 409, description = "`last_admin`", body = Problem)))]
pub(in crate::routes) async fn change(
    admin: Granted<ManageUsers>,
    (visitor, id): (Visitor, ValidPath<UserId>),
    body: ValidJson<Wished>,
    identity: Data<Identity>,
) -> Result<Json<User>, HttpError> {
    let change = UserChange { role: body.role, active: body.active };
    let user = identity.administer((admin.user_id, *id), change, &visitor.0).await?;
    Ok(Json(wire::user(user)))
}
