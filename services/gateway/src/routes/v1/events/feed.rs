//! What goes to one reader.

use std::time::Duration;

use bytes::Bytes;
use coffer_api::ErrorCode;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::Guard;

/// Silence is broken after this time.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long a reader may take nothing.
const READER_DEADLINE: Duration = Duration::from_secs(30);
/// When a client that lost its connection is to come back, in milliseconds.
const RETRY_MS: u32 = 1000;

/// Something that happened.
pub(in crate::routes) struct Told {
    /// The position behind it.
    pub(in crate::routes) id: String,
    /// What it was: JSON, on one line.
    pub(in crate::routes) data: String,
}

/// Where something happens that can be watched.
pub(in crate::routes) trait Source: 'static {
    /// The position behind everything that was told.
    fn position(&self) -> String;

    /// Waits for what happens next, at most about a second; or says why this cannot go on. Can be dropped at any time:
    /// what was not answered is told the next time.
    async fn next(&mut self) -> Result<Vec<Told>, ErrorCode>;
}

/// The reader is gone, or as good as gone.
struct Gone;

/// The way to one reader.
pub(super) struct Feed {
    sender: mpsc::Sender<Bytes>,
    written_at: Instant,
}

impl Feed {
    pub(super) fn new(sender: mpsc::Sender<Bytes>) -> Self {
        Self { sender, written_at: Instant::now() }
    }

    /// Tells what happens until the reader goes or is to go.
    pub(super) async fn follow(&mut self, source: impl Source, guard: &Guard) {
        let reason = tokio::select! {
            reason = self.tell(source) => reason,
            reason = guard.over() => Ok(reason),
        };
        if let Ok(code) = reason {
            let end = format!("event: end\ndata: {{\"code\":\"{code}\"}}\n\n");
            // Who does not read it learns of it by the end of the connection.
            let _ = self.sender.try_send(end.into());
        }
    }

    /// Tells what happens; answers why it cannot go on.
    async fn tell(&mut self, mut source: impl Source) -> Result<ErrorCode, Gone> {
        self.write(format!("retry: {RETRY_MS}\nid: {}\n\n", source.position())).await?;
        loop {
            let reader = self.sender.clone();
            let happened = tokio::select! {
                happened = source.next() => happened,
                () = reader.closed() => return Err(Gone),
                () = sleep_until(self.written_at + HEARTBEAT) => {
                    self.write(format!(": alive\nid: {}\n\n", source.position())).await?;
                    continue;
                }
            };
            match happened {
                Ok(told) => {
                    for Told { id, data } in told {
                        self.write(format!("id: {id}\nevent: change\ndata: {data}\n\n")).await?;
                    }
                }
                Err(code) => return Ok(code),
            }
        }
    }

    async fn write(&mut self, text: String) -> Result<(), Gone> {
        let sent = timeout(READER_DEADLINE, self.sender.send(text.into())).await;
        self.written_at = Instant::now();
        sent.map_err(|_| Gone)?.map_err(|_| Gone)
    }
}
