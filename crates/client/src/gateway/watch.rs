//! Watching keys and configurations: reads server-sent events, and comes back by itself when the connection is lost.
//!
//! The position of the last event goes with every return, so each change is told once, whichever gateway answers. A
//! watch "from now on" has opened once the server has named that place: a connection that is lost before would come
//! back behind what happened meanwhile.

use std::time::Duration;

use bytes::BytesMut;
use coffer_api::configs::{ConfigChange, ConfigWatchQuery};
use coffer_api::kv::{KvChange, KvChangesQuery, LAST_EVENT_ID};
use coffer_api::paths::v1;
use reqwest::{Method, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

use crate::ClientError;
use crate::calls::Calls;

/// The server breaks every silence after 5 s; after this time it is not there any more.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// The first wait before coming back, and the longest.
const WAIT_MIN: Duration = Duration::from_millis(250);
const WAIT_MAX: Duration = Duration::from_secs(10);
/// The longest event.
const EVENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a watcher learns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched<C = KvChange> {
    /// Something changed.
    Change(C),
    /// The connection was lost, and there is another one; nothing was missed.
    Resumed,
}

/// What can be asked to be watched.
pub trait Watchable: Serialize {
    /// Where.
    const PATH: &'static str;
    /// What is told of it.
    type Change: DeserializeOwned;

    /// The position behind which it begins, unless from now on.
    fn after(&self) -> Option<&str>;
}

impl Watchable for KvChangesQuery {
    const PATH: &'static str = v1::KV_WATCH;
    type Change = KvChange;

    fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }
}

impl Watchable for ConfigWatchQuery {
    const PATH: &'static str = v1::CONFIGS_WATCH;
    type Change = ConfigChange;

    fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }
}

/// What is watched.
#[derive(Debug)]
pub struct Watch<Q> {
    calls: Calls,
    query: Q,
    answer: Option<Response>,
    buffer: BytesMut,
    /// What came while the place to begin was awaited.
    held: Option<Event>,
    last_id: Option<String>,
}

/// Keys that are watched.
pub type KvWatch = Watch<KvChangesQuery>;
/// Configurations that are watched.
pub type ConfigWatch = Watch<ConfigWatchQuery>;

/// One event as it was sent.
#[derive(Debug, Default, PartialEq, Eq)]
struct Event {
    id: Option<String>,
    kind: String,
    data: String,
}

impl<Q: Watchable> Watch<Q> {
    pub(super) async fn open(calls: Calls, query: Q) -> Result<Self, ClientError> {
        let mut watch =
            Self { calls, query, answer: None, buffer: BytesMut::new(), held: None, last_id: None };
        watch.connect().await?;
        while watch.position().is_none() && watch.held.is_none() {
            // It begins with an `id`. A gateway from before that may begin with a change, which is to be told.
            match watch.event().await {
                Some(event) if event.kind.is_empty() => watch.last_id = event.id,
                held @ Some(_) => watch.held = held,
                None => watch.come_back().await?,
            }
        }
        Ok(watch)
    }

    /// The place behind everything that was told: what `after` takes.
    pub fn position(&self) -> Option<&str> {
        self.last_id.as_deref().or(self.query.after())
    }

    /// Waits for what happens next. A refusal ends the watch: no session, no access, or a position whose changes are
    /// no longer kept; anything else is tried again until it works.
    pub async fn next(&mut self) -> Result<Watched<Q::Change>, ClientError> {
        loop {
            if self.answer.is_none() {
                self.come_back().await?;
                return Ok(Watched::Resumed);
            }
            let event = match self.held.take() {
                Some(held) => Some(held),
                None => self.event().await,
            };
            match event {
                Some(event) => {
                    if let Some(told) = self.take(event)? {
                        return Ok(told);
                    }
                }
                None => self.answer = None,
            }
        }
    }

    fn take(&mut self, event: Event) -> Result<Option<Watched<Q::Change>>, ClientError> {
        match event.kind.as_str() {
            "change" => {
                let change = serde_json::from_str(&event.data).map_err(|_| self.calls.not_understood())?;
                self.last_id = event.id.or(self.last_id.take());
                Ok(Some(Watched::Change(change)))
            }
            "end" => {
                // Coming back tells whether it is for good.
                self.answer = None;
                Ok(None)
            }
            _ => {
                self.last_id = event.id.or(self.last_id.take());
                Ok(None)
            }
        }
    }

    async fn come_back(&mut self) -> Result<(), ClientError> {
        let mut wait = WAIT_MIN;
        loop {
            sleep(wait).await;
            match self.connect().await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_unavailable() || error.retry_after().is_some() => {
                    wait = error.retry_after().unwrap_or(wait * 2).min(WAIT_MAX);
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn connect(&mut self) -> Result<(), ClientError> {
        let mut request = self.calls.request(Method::GET, Q::PATH).query(&self.query);
        if let Some(id) = &self.last_id {
            request = request.header(LAST_EVENT_ID, id);
        }
        self.buffer.clear();
        self.answer = Some(self.calls.send(request).await?);
        Ok(())
    }

    /// The next event; nothing once the connection is lost.
    async fn event(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block = self.buffer.split_to(end + 2);
                return parse(&block);
            }
            if self.buffer.len() > EVENT_BYTES_MAX {
                return None;
            }
            let chunk = timeout(SILENCE_MAX, self.answer.as_mut()?.chunk()).await;
            self.buffer.extend_from_slice(&chunk.ok()?.ok()??);
        }
    }
}

/// Reads one event (WHATWG HTML, section 9.2.6); nothing if it is no text.
fn parse(block: &[u8]) -> Option<Event> {
    let mut event = Event::default();
    for line in std::str::from_utf8(block).ok()?.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => event.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut event.kind),
            "data" => event.data.push_str(value),
            // Comments, `retry` and what is not known.
            _ => {}
        }
    }
    Some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_field_by_field() {
        let event = parse(b"id: 7\nevent: change\ndata: {\"a\": 1}\n\n").unwrap();
        let expected =
            Event { id: Some("7".to_owned()), kind: "change".to_owned(), data: "{\"a\": 1}".to_owned() };
        assert_eq!(event, expected);
        let alive = parse(b": alive\nid: 7-12\n\n").unwrap();
        assert_eq!((alive.id.as_deref(), alive.kind.as_str()), (Some("7-12"), ""));
        assert!(parse(b"\xff\n\n").is_none());
    }
}
