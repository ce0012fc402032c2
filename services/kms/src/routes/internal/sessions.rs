//! `/internal/v1/sessions`: whose session a token opens, and when sessions were used.

use actix_web::web::{Data, Json};
use coffer_api::internal::{BATCH_ITEMS_MAX, Done, SessionCheck, SessionState, SessionTouches};
use coffer_server::{Failure, HttpError, ServiceCaller, ValidJson};

use crate::domain::identity::Identity;

/// Whose session a token opens. Services forward what the user sent; none can ask about a user it has no
/// token of.
pub(super) async fn check(
    _: ServiceCaller,
    asked: ValidJson<SessionCheck>,
    identity: Data<Identity>,
) -> Result<Json<SessionState>, HttpError> {
    let live = identity.check_session(asked.token.expose()).await?;
    Ok(Json(live.map_or(SessionState::Ended, |live| SessionState::Live(live.wire()))))
}

/// When sessions were last used.
pub(super) async fn touch(
    _: ServiceCaller,
    used: ValidJson<SessionTouches>,
    identity: Data<Identity>,
) -> Result<Json<Done>, HttpError> {
    if used.touches.len() > BATCH_ITEMS_MAX {
        return Err(Failure::field("touches", format!("has more than {BATCH_ITEMS_MAX} items")).into());
    }
    identity.touch_sessions(&used.touches).await?;
    Ok(Json(Done {}))
}
