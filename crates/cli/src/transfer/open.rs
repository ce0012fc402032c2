//! Opening: from the stream of an envelope to a file.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use coffer_client::{ClientError, Report};
use coffer_crypto::envelope::{ContentKey, Head, LastPart, Opener, Refusal};
use futures_util::{Stream, StreamExt as _};
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::PIECES_AHEAD;
use crate::target::{Sink, Target, TargetError};

/// Why an envelope that arrives is not written as a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// It is not what was sealed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It did not arrive whole.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It cannot be written.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The thread that opens it panicked.
    #[error("opening the envelope")]
    Task(#[source] tokio::task::JoinError),
}

/// The pieces of an envelope, as they arrive.
pub(crate) type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, ClientError>> + Send>>;

/// An envelope whose first bytes are here.
pub(crate) struct Arriving {
    pub(crate) head: Head,
    /// What came behind the head.
    rest: Bytes,
    pieces: Pieces,
    /// Bytes of the whole envelope.
    total: u64,
}

/// How an envelope becomes a file.
pub(crate) struct Opening {
    pub(crate) content: ContentKey,
    /// Where it goes, and whether what is there is replaced.
    pub(crate) target: Target,
    pub(crate) force: bool,
    pub(crate) report: Report,
}

impl Arriving {
    /// Waits for the head.
    pub(crate) async fn new(
        total: u64,
        pieces: impl Stream<Item = Result<Bytes, ClientError>> + Send + 'static,
    ) -> Result<Self, OpenError> {
        let mut pieces: Pieces = Box::pin(pieces);
        let mut start = Vec::with_capacity(16 * 1024);
        let mut wanted = Head::START_BYTES;
        loop {
            while start.len() < wanted {
                let piece = pieces.next().await.ok_or(Refusal::Truncated)??;
                start.extend_from_slice(&piece);
            }
            let length = start.first_chunk().map(Head::length).ok_or(Refusal::Truncated)??;
            if start.len() >= length {
                let rest = Bytes::from(start.split_off(length));
                return Ok(Self { head: Head::parse(&start)?, rest, pieces, total });
            }
            wanted = length;
        }
    }

    /// What came behind the head, and what is still to come.
    pub(super) fn into_pieces(self) -> (Bytes, Pieces) {
        (self.rest, self.pieces)
    }

    /// The head, and what comes behind it.
    pub(crate) fn into_parts(self) -> (Head, Bytes, Pieces) {
        (self.head, self.rest, self.pieces)
    }

    /// Opens what arrives and writes it, until it is over or the user interrupts. Everything written was verified; that
    /// it is whole is known at the end, and only then does a file appear under its name.
    pub(crate) async fn write(self, opening: Opening) -> Result<LastPart, OpenError> {
        let Self { head, rest, mut pieces, total } = self;
        let Opening { content, target, force, report } = opening;
        let stop = Arc::new(AtomicBool::new(false));
        let sink = target.open(force, Arc::clone(&stop))?;
        let opener = Opener::new(&head, &content)?;
        let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
        let writing: JoinHandle<Result<LastPart, OpenError>> =
            tokio::task::spawn_blocking(move || write_all(opener, sink, receiver));
        let mut done = head.to_bytes().len() as u64;
        let mut next = Some(Ok(rest));
        while let Some(piece) = next {
            done += piece.as_ref().map_or(0, Bytes::len) as u64;
            let is_broken = piece.is_err();
            // If nobody takes it, the writer has failed and says why below.
            if sender.send(piece).await.is_err() || is_broken {
                break;
            }
            report(done, total.max(done));
            next = tokio::select! {
                piece = pieces.next() => piece,
                _ = tokio::signal::ctrl_c() => {
                    stop.store(true, Ordering::Relaxed);
                    break;
                }
            };
        }
        drop(sender);
        writing.await.map_err(OpenError::Task)?
    }
}

fn write_all(
    mut opener: Opener,
    mut sink: Sink,
    mut pieces: Receiver<Result<Bytes, ClientError>>,
) -> Result<LastPart, OpenError> {
    let mut plaintext = Zeroizing::new(Vec::new());
    while let Some(piece) = pieces.blocking_recv() {
        plaintext.clear();
        opener.push(&piece?, &mut plaintext)?;
        sink.write(&plaintext)?;
    }
    // An interruption ends what arrives too.
    sink.write(&[])?;
    let last = opener.finish()?;
    sink.finish()?;
    Ok(last)
}
