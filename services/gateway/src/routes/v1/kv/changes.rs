//! What happened to keys, page by page.

use actix_web::web::Json;
use coffer_api::Problem;
use coffer_api::kv::{KvChanges, KvChangesQuery};
use coffer_server::{HttpError, ValidQuery};

use super::desk::Desk;
use super::wire;
use crate::domain::kv::Position;

/// What happened after a position; without one, the present position and nothing else.
#[utoipa::path(get, path = "/api/v1/kv/changes", tag = "keys", params(KvChangesQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, body = KvChanges),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 410, description = "`changes_gone`: list the keys and go on from now", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn changes(
    desk: Desk,
    query: ValidQuery<KvChangesQuery>,
) -> Result<Json<KvChanges>, HttpError> {
    let (kv, space) = (desk.kv()?, desk.space(query.owner.as_deref()).await?);
    let Some(after) = &query.after else {
        let position = kv.position(&desk.caller, space, &query.prefix).await?.to_string();
        return Ok(Json(KvChanges { items: Vec::new(), position, more: false }));
    };
    let page = kv.changes(&desk.caller, space, &query.prefix, after.parse::<Position>()?).await?;
    let (position, more) = (page.position.to_string(), page.more);
    Ok(Json(KvChanges { items: wire::changes(page.events), position, more }))
}
