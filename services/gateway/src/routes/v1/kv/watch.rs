//! Watching keys. How it goes over the wire: [`events`](super::super::events).

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use coffer_api::kv::KvChangesQuery;
use coffer_api::{ErrorCode, Problem};
use coffer_kms_link::Link;
use coffer_server::{CallerToken, Failure, HttpError, ValidQuery};

use super::desk::Desk;
use super::wire;
use crate::domain::kv::Watcher;
use crate::routes::v1::events::{self, Guard, Source, Told, Watchers};

/// Watches keys that begin with a prefix: from behind `Last-Event-ID`, or behind `after`, or from now on.
#[utoipa::path(get, path = "/api/v1/kv/watch", tag = "keys", params(KvChangesQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "Server-sent events: `change` with a `KvChange` as data, and `end` with the `code` of the reason \
            before the server closes. An `id` without data is a position to come back with", content_type = "text/event-stream"),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 410, description = "`changes_gone`: list the keys and watch from now on", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 429, description = "`rate_limited`: too many watchers of the same user", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn watch(
    desk: Desk,
    query: ValidQuery<KvChangesQuery>,
    (request, token): (HttpRequest, CallerToken),
    (link, watchers): (Data<Link>, Data<Watchers>),
) -> Result<HttpResponse, HttpError> {
    let token = token.token.ok_or(Failure::of(ErrorCode::InvalidSession))?;
    let principal = desk.caller.principal;
    let seat = watchers.sit(principal.user_id).ok_or_else(events::crowded)?;
    let space = desk.space(query.owner.as_deref()).await?;
    let after = events::after(&request, query.after.as_deref())?.map(str::parse).transpose()?;
    let watcher = desk.kv()?.watch(&desk.caller, space, &query.prefix, after).await?;
    let guard = Guard::Session(link, token, principal);
    Ok(events::answer(watcher, guard, (seat, (**watchers).clone())))
}

impl Source for Watcher {
    fn position(&self) -> String {
        Self::position(self).to_string()
    }

    async fn next(&mut self) -> Result<Vec<Told>, ErrorCode> {
        let page = Self::next(self).await.map_err(|error| Failure::from(error).code)?;
        let told = wire::changes(page.events).into_iter().map(|change| Told {
            id: change.revision.to_string(),
            data: serde_json::to_string(&change).unwrap_or_default(),
        });
        Ok(told.collect())
    }
}
