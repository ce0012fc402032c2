//! Server-sent events as they come over the wire (WHATWG HTML, section 9.2): nothing is tried again here.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;
use tokio::time::timeout;

/// The gateway breaks every silence after 5 s.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// What is waited for comes within this time, or not at all.
const AWAITED_MAX: Duration = Duration::from_secs(30);

/// One event, or what only moves the position on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// `id`: a position to come back with.
    pub id: Option<String>,
    /// `event`; empty if there is none.
    pub kind: String,
    /// `data`.
    pub data: String,
}

/// A connection on which events arrive.
#[derive(Debug)]
pub struct Events {
    response: Response,
    buffer: Vec<u8>,
    position: Option<String>,
}

impl Events {
    pub(crate) fn new(response: Response) -> Self {
        Self { response, buffer: Vec::new(), position: None }
    }

    /// The last `id`.
    pub fn position(&self) -> Option<&str> {
        self.position.as_deref()
    }

    /// The next event; nothing at the end of the connection.
    ///
    /// # Panics
    /// When there is silence for too long.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                let event = parse(&String::from_utf8(block).expect("events are text"));
                self.position = event.id.clone().or(self.position.take());
                return Some(event);
            }
            let chunk = timeout(SILENCE_MAX, self.response.chunk()).await.expect("silence is broken");
            self.buffer.extend_from_slice(&chunk.ok()??);
        }
    }

    /// The next change.
    ///
    /// # Panics
    /// When the watch ends before, or nothing changes.
    pub async fn change(&mut self) -> Value {
        let change = async {
            loop {
                let event = self.next().await.expect("the watch goes on");
                assert_ne!(event.kind, "end", "{event:?}");
                if event.kind == "change" {
                    return serde_json::from_str(&event.data).expect("a change is JSON");
                }
            }
        };
        timeout(AWAITED_MAX, change).await.expect("something changes")
    }

    /// The keys that change next, so many of them, with what happens to them.
    pub async fn changes(&mut self, number: usize) -> Vec<(String, String)> {
        let mut found = Vec::new();
        while found.len() < number {
            let change = self.change().await;
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            let keys = change["changes"].as_array().expect("changes").iter();
            found.extend(keys.map(|one| (text(&one["key"]), text(&one["op"]))));
        }
        found
    }

    /// Waits for the end: why it came, unless the connection just broke off. Changes before it are passed over.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn end(&mut self) -> Option<String> {
        let end = async {
            while let Some(event) = self.next().await {
                if event.kind == "end" {
                    let data: Value = serde_json::from_str(&event.data).expect("a reason is JSON");
                    return data["code"].as_str().map(str::to_owned);
                }
            }
            None
        };
        timeout(AWAITED_MAX, end).await.expect("the watch ends")
    }
}

fn parse(block: &str) -> Event {
    let mut event = Event::default();
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => event.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut event.kind),
            "data" => event.data.push_str(value),
            _ => {}
        }
    }
    event
}
