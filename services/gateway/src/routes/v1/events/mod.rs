//! Server-sent events (WHATWG HTML, section 9.2): what is common to everything that can be watched.
//!
//! What changed at once is one event, and its `id` is a position: a client that comes back with it, to whichever
//! gateway, goes on behind it and so gets every change once. While nothing happens, a comment goes out every 5 s
//! that also moves the `id` on, so that a position never grows old while a client listens. The HTTP layer learns that
//! a client is gone only when it writes, so the comments also decide how soon its place is free again: after two.
//!
//! A session is looked at four times a second, access to what is watched about once a second; whoever has lost either
//! is told `event: end` and cut. A reader that takes nothing for 30 s is given up.

mod feed;
mod guard;
mod seats;

use std::convert::Infallible;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use coffer_api::kv::LAST_EVENT_ID;
use coffer_server::Failure;
use futures_util::stream;
use tokio::sync::mpsc;

pub(in crate::routes) use feed::{Source, Told};
pub(in crate::routes) use guard::Guard;
pub(crate) use seats::{SeatLimits, Watchers};

use feed::Feed;
use seats::Seat;

/// Events that wait for the reader, at most.
const EVENTS_AHEAD: usize = 8;
/// When somebody with too many watchers is to come back, in seconds.
const CROWDED_RETRY_AFTER_S: u32 = 5;

/// The refusal of somebody for whom there is no seat.
pub(in crate::routes) fn crowded() -> Failure {
    Failure::rate_limited(CROWDED_RETRY_AFTER_S)
}

/// Where to go on. A browser that comes back repeats the whole query, so what it saw last counts more.
pub(in crate::routes) fn after<'a>(
    request: &'a HttpRequest,
    in_query: Option<&'a str>,
) -> Result<Option<&'a str>, Failure> {
    let last = request.headers().get(LAST_EVENT_ID).filter(|value| !value.is_empty());
    let Some(last) = last else { return Ok(in_query) };
    last.to_str().map(Some).map_err(|_| Failure::field("Last-Event-ID", "is not a position"))
}

/// Tells what happens at `source` until one side ends it.
pub(in crate::routes) fn answer(
    source: impl Source,
    guard: Guard,
    (seat, watchers): (Seat, Watchers),
) -> HttpResponse {
    let (sender, receiver) = mpsc::channel(EVENTS_AHEAD);
    actix_web::rt::spawn(async move {
        let mut feed = Feed::new(sender);
        tokio::select! {
            () = feed.follow(source, &guard) => {}
            () = watchers.closed() => {}
        }
    });
    // The seat belongs to the connection: a reader that takes nothing does not make room for another.
    let body = stream::unfold((receiver, seat), async |(mut receiver, seat)| {
        let chunk: Bytes = receiver.recv().await?;
        Some((Ok::<_, Infallible>(chunk), (receiver, seat)))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(Box::pin(body))
}
