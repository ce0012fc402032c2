//! Watching keys: server-sent events (WHATWG HTML, section 9.2).
//!
//! What changed at once is one event, and its `id` is the revision: a client that comes back with it, to whichever
//! gateway, goes on behind it and so gets every change once. While nothing happens, a comment goes out every 5 s
//! that also moves the `id` on, so that a position never grows old while a client listens. The HTTP layer learns that
//! a client is gone only when it writes, so the comments also decide how soon its place is free again: after two.
//!
//! The session is looked at four times a second, access to the keys about once a second; whoever has lost either is
//! told `event: end` and cut. A reader that takes nothing for 30 s is given up.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use coffer_api::kv::{KvChangesQuery, LAST_EVENT_ID};
use coffer_api::{ErrorCode, Problem};
use coffer_auth::Principal;
use coffer_kms_link::{Link, SessionError};
use coffer_server::{CallerToken, Failure, HttpError, Token, ValidQuery};
use futures_util::stream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::desk::Desk;
use super::watchers::Watchers;
use super::wire;
use crate::domain::kv::{Position, Watcher};

/// Silence is broken after this time.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How often the session is looked at.
const SESSION_LOOK: Duration = Duration::from_millis(250);
/// How long a reader may take nothing.
const READER_DEADLINE: Duration = Duration::from_secs(30);
/// Events that wait for the reader, at most.
const EVENTS_AHEAD: usize = 8;
/// When a client that lost its connection is to come back, in milliseconds.
const RETRY_MS: u32 = 1000;
/// When somebody with too many watchers is to come back, in seconds.
const CROWDED_RETRY_AFTER_S: u32 = 5;

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
    let seat = watchers.sit(principal.user_id).ok_or(Failure::rate_limited(CROWDED_RETRY_AFTER_S))?;
    let space = desk.space(query.owner.as_deref()).await?;
    let watcher = desk.kv()?.watch(&desk.caller, space, &query.prefix, after(&request, &query)?).await?;

    let (sender, receiver) = mpsc::channel(EVENTS_AHEAD);
    let (guard, watchers) = (Guard { link, token, principal }, watchers.clone());
    actix_web::rt::spawn(async move {
        let mut feed = Feed { sender, written_at: Instant::now() };
        tokio::select! {
            () = feed.follow(watcher, &guard) => {}
            () = watchers.closed() => {}
        }
    });
    // The seat belongs to the connection: a reader that takes nothing does not make room for another.
    let body = stream::unfold((receiver, seat), async |(mut receiver, seat)| {
        let chunk: Bytes = receiver.recv().await?;
        Some((Ok::<_, Infallible>(chunk), (receiver, seat)))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(Box::pin(body)))
}

/// Where to go on. A browser that comes back repeats the whole query, so what it saw last counts more.
fn after(request: &HttpRequest, query: &KvChangesQuery) -> Result<Option<Position>, Failure> {
    let last = request.headers().get(LAST_EVENT_ID).filter(|value| !value.is_empty());
    let text = match last {
        Some(value) => {
            Some(value.to_str().map_err(|_| Failure::field("Last-Event-ID", "is not a position"))?)
        }
        None => query.after.as_deref(),
    };
    Ok(text.map(str::parse).transpose()?)
}

/// The session that somebody watches in.
struct Guard {
    link: Data<Link>,
    token: Token,
    principal: Principal,
}

impl Guard {
    /// Waits until the session is over, or is no longer what it was.
    async fn over(&self) -> ErrorCode {
        loop {
            sleep(SESSION_LOOK).await;
            match self.link.sessions().check(self.token.expose()).await {
                Ok(principal) if principal == self.principal => {}
                // A role that was changed gives other access.
                Ok(_) => return ErrorCode::AccessDenied,
                Err(SessionError::Invalid) => return ErrorCode::InvalidSession,
                Err(SessionError::Stale | SessionError::Kms(_)) => return ErrorCode::Unavailable,
            }
        }
    }
}

/// The reader is gone, or as good as gone.
struct Gone;

/// What goes to one reader.
struct Feed {
    sender: mpsc::Sender<Bytes>,
    written_at: Instant,
}

impl Feed {
    /// Tells what happens until the reader goes or is to go.
    async fn follow(&mut self, watcher: Watcher, guard: &Guard) {
        let reason = tokio::select! {
            reason = self.tell(watcher) => reason,
            reason = guard.over() => Ok(reason),
        };
        if let Ok(code) = reason {
            let end = format!("event: end\ndata: {{\"code\":\"{code}\"}}\n\n");
            // Who does not read it learns of it by the end of the connection.
            let _ = self.sender.try_send(end.into());
        }
    }

    /// Tells what happens; answers why it cannot go on.
    async fn tell(&mut self, mut watcher: Watcher) -> Result<ErrorCode, Gone> {
        self.write(format!("retry: {RETRY_MS}\nid: {}\n\n", watcher.position())).await?;
        loop {
            let reader = self.sender.clone();
            let page = tokio::select! {
                page = watcher.next() => page,
                () = reader.closed() => return Err(Gone),
                () = sleep_until(self.written_at + HEARTBEAT) => {
                    self.write(format!(": alive\nid: {}\n\n", watcher.position())).await?;
                    continue;
                }
            };
            match page {
                Ok(page) => {
                    for change in wire::changes(page.events) {
                        let data = serde_json::to_string(&change).unwrap_or_default();
                        self.write(format!("id: {}\nevent: change\ndata: {data}\n\n", change.revision))
                            .await?;
                    }
                }
                Err(error) => return Ok(Failure::from(error).code),
            }
        }
    }

    async fn write(&mut self, text: String) -> Result<(), Gone> {
        let sent = timeout(READER_DEADLINE, self.sender.send(text.into())).await;
        self.written_at = Instant::now();
        sent.map_err(|_| Gone)?.map_err(|_| Gone)
    }
}
