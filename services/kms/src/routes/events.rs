//! `/api/v1/events`: the security events, for administrators.

use actix_web::web::{Data, Json};
use coffer_api::identity::{Event, EventPage, EventQuery};
use coffer_api::page::page_items;
use coffer_api::{ErrorCode, Problem};
use coffer_auth::permission::ReadEvents;
use coffer_core::EventId;
use coffer_server::{Failure, Granted, HttpError, ValidQuery};
use coffer_store::records::StoreError;

use crate::domain::events::{Actor, EventFilter, Events, RecordedEvent};
use crate::failures::of_store;

fn wire(event: RecordedEvent) -> Event {
    let RecordedEvent { id, at, kind, actor, subject, address, request_id, mut details } = event;
    let actor = match actor {
        Actor::User(user) => Some(user),
        Actor::Anonymous => None,
        Actor::Service(service) => {
            details.insert("actor".to_owned(), format!("service:{service}"));
            None
        }
        Actor::Operator => {
            details.insert("actor".to_owned(), "operator".to_owned());
            None
        }
    };
    let address = address.map(|address| address.to_string());
    Event { id, at, kind, actor, subject, address, request_id, details }
}

fn failure(error: StoreError) -> Failure {
    match of_store(&error) {
        ErrorCode::Unavailable => Failure::unavailable(error),
        _ => Failure::internal(error),
    }
}

/// Lists security events, newest first. A page may hold fewer items than asked for and still have a next one.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(EventQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "A page of events", body = EventPage),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`permission_denied`: not an administrator", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem)))]
pub(super) async fn list(
    _: Granted<ReadEvents>,
    events: Data<Events>,
    query: ValidQuery<EventQuery>,
) -> Result<Json<EventPage>, HttpError> {
    let EventQuery { kind, user, cursor, limit } = query.into_inner();
    let wrong = |_| Failure::field("cursor", "is none of this listing");
    let before = cursor.map(|cursor| cursor.parse::<EventId>().map_err(wrong)).transpose()?;
    let filter = EventFilter { kind, user };
    let page = events.page(&filter, before, page_items(limit)).await.map_err(failure)?;
    let items = page.items.into_iter().map(wire).collect();
    Ok(Json(EventPage { items, next_cursor: page.next.map(|id| id.to_string()) }))
}
