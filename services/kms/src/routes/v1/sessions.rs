//! The caller's own sessions, and who the caller is.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use coffer_api::identity::{EndedSessions, Me, SessionList};
use coffer_api::{ErrorCode, Problem, SessionHash};
use coffer_auth::Principal;
use coffer_server::{Failure, HttpError, Session, ValidPath};

use super::wire;
use crate::domain::identity::{Identity, LiveUser};
use crate::routes::visitor::Visitor;

/// The caller's session with everything about it. It may have ended since it was checked.
pub(super) async fn live(identity: &Identity, principal: &Principal) -> Result<LiveUser, Failure> {
    let live = identity.live_user(principal.session).await?;
    live.ok_or(Failure::of(ErrorCode::InvalidSession))
}

/// Who the caller is.
#[utoipa::path(get, path = "/api/v1/me", tag = "sessions", security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = Me),
        (status = 401, description = "`invalid_session`", body = Problem)))]
pub(in crate::routes) async fn me(caller: Session, identity: Data<Identity>) -> Result<Json<Me>, HttpError> {
    Ok(Json(me_of(live(&identity, &caller).await?)))
}

/// Who has this session.
pub(in crate::routes) fn me_of(live: LiveUser) -> Me {
    Me {
        user: wire::user(live.user),
        session: live.session.to_string(),
        amr: live.stored.amr,
        expires_at: live.stored.expires_at,
    }
}

/// The caller's live sessions, newest first.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "sessions", security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = SessionList),
        (status = 401, description = "`invalid_session`", body = Problem)))]
pub(in crate::routes) async fn list(
    caller: Session,
    identity: Data<Identity>,
) -> Result<Json<SessionList>, HttpError> {
    let live = live(&identity, &caller).await?;
    let views = identity.list_sessions(&live.user).await?;
    let items = views.into_iter().map(|view| wire::session(view, &caller.session)).collect();
    Ok(Json(SessionList { items }))
}

/// Ends all of the caller's sessions, this one included.
#[utoipa::path(delete, path = "/api/v1/sessions", tag = "sessions", security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = EndedSessions),
        (status = 401, description = "`invalid_session`", body = Problem)))]
pub(in crate::routes) async fn end_all(
    caller: Session,
    visitor: Visitor,
    identity: Data<Identity>,
) -> Result<Json<EndedSessions>, HttpError> {
    let live = live(&identity, &caller).await?;
    let ended = identity.end_all_sessions(&live.user, &visitor.0).await?;
    Ok(Json(EndedSessions { ended }))
}

/// Logs out: ends the session that the request is made with.
#[utoipa::path(delete, path = "/api/v1/sessions/current", tag = "sessions",
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 204, description = "The session has ended"),
        (status = 401, description = "`invalid_session`", body = Problem)))]
pub(in crate::routes) async fn end_current(
    caller: Session,
    visitor: Visitor,
    identity: Data<Identity>,
) -> Result<HttpResponse, HttpError> {
    identity.end_session(caller.user_id, caller.session, &visitor.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends one of the caller's sessions.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "sessions",
    security(("sid" = []), ("bearer" = [])), params(("id" = String, Path, description = "The session's id")),
    responses(
        (status = 204, description = "The session has ended"),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 404, description = "`session_not_found`", body = Problem)))]
pub(in crate::routes) async fn end_one(
    caller: Session,
    (visitor, id): (Visitor, ValidPath<SessionHash>),
    identity: Data<Identity>,
) -> Result<HttpResponse, HttpError> {
    identity.end_session(caller.user_id, *id, &visitor.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
