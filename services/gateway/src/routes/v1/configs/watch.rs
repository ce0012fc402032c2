//! Watching configurations. How it goes over the wire: [`events`](super::super::events).
//!
//! An `id` names the name space besides the revision, so that a position never means a place in another one: a user key
//! that was moved away and is used anew begins anew.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use coffer_api::configs::{ConfigChange, ConfigChangeKind, ConfigChanged, ConfigWatchQuery};
use coffer_api::contract::configs::USER_KEY;
use coffer_api::{ErrorCode, Problem};
use coffer_kms_link::Link;
use coffer_server::{Failure, HttpError, Native, ValidQuery};

use super::wire;
use crate::domain::configs::{Event, WatchFilter, Watcher};
use crate::repo::configs::Op;
use crate::routes::contract::configs::Keyed;
use crate::routes::v1::events::{self, Source, Told, Watchers};

/// Watches configurations: from behind `Last-Event-ID`, or behind `after`, or from now on. A user key that opens nothing yet is
/// told of the first that is stored.
#[utoipa::path(get, path = "/api/v1/configs/watch", tag = "configurations", params(ConfigWatchQuery),
    security(("user_key" = [])),
    responses(
        (status = 200, description = "Server-sent events: `change` with a `ConfigChange` as data, and `end` with the `code` of the \
            reason before the server closes. An `id` without data is a position to come back with",
            content_type = "text/event-stream"),
        (status = 401, description = "`invalid_user_key`", body = Problem),
        (status = 403, description = "`access_denied`: no user key, or one that no longer opens what the position is of",
            body = Problem),
        (status = 410, description = "`changes_gone`: list and watch from now on", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 429, description = "`rate_limited`: too many watchers, or too many new user keys", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn watch(
    keyed: Result<Keyed<Native>, HttpError>,
    query: ValidQuery<ConfigWatchQuery>,
    request: HttpRequest,
    (link, watchers): (Data<Link>, Data<Watchers>),
) -> Result<HttpResponse, HttpError> {
    let keyed = keyed.map_err(|refused| with_a_key_only(&request, refused))?;
    wire::environment_in("environment", query.environment.as_deref())?;
    wire::category_in(query.category.as_deref())?;
    let seat = watchers.sit_with(keyed.holder.place(), keyed.client()).ok_or_else(events::crowded)?;
    let after = events::after(&request, query.after.as_deref())?.map(str::parse).transpose()?;
    let ConfigWatchQuery { prefix, environment, category, .. } = query.into_inner();
    let watcher = keyed.holder.watch(WatchFilter { prefix, environment, category }, after).await?;
    Ok(events::answer(watcher, keyed.guard(link), (seat, (**watchers).clone())))
}

/// Without a user key there is nothing to watch: elsewhere that is a field that is missing.
fn with_a_key_only(request: &HttpRequest, refused: HttpError) -> HttpError {
    if refused.failure().code != ErrorCode::InvalidInput || request.headers().contains_key(USER_KEY) {
        return refused;
    }
    Failure::of(ErrorCode::AccessDenied).with_detail("watching needs the header x-user-key").into()
}

impl Source for Watcher {
    fn position(&self) -> String {
        Self::position(self).to_string()
    }

    async fn next(&mut self) -> Result<Vec<Told>, ErrorCode> {
        let page = Self::next(self).await.map_err(|error| Failure::from(error).code)?;
        let told = changes(page.events).into_iter().map(|change| Told {
            id: self.at(change.revision).to_string(),
            data: serde_json::to_string(&change).unwrap_or_default(),
        });
        Ok(told.collect())
    }
}

/// Events, those of one revision together.
fn changes(events: Vec<Event>) -> Vec<ConfigChange> {
    let mut together: Vec<ConfigChange> = Vec::new();
    for Event { revision, at, change } in events {
        let op = match change.op {
            Op::Created => ConfigChangeKind::Created,
            Op::Updated => ConfigChangeKind::Updated,
            Op::Deleted => ConfigChangeKind::Deleted,
        };
        let (key, environment, category) = (change.key, change.environment, change.category);
        let changed = ConfigChanged { key, environment, category, op, version: change.version };
        match together.last_mut() {
            Some(last) if last.revision == revision => last.changes.push(changed),
            _ => together.push(ConfigChange { revision, at, changes: vec![changed] }),
        }
    }
    together
}
