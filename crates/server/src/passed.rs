//! A request's body that is passed on while it arrives, never whole in memory.
//!
//! A body of the HTTP layer belongs to its worker's thread; whoever sends it on may run on another. So it is
//! read here, within the limits of every body, and handed over through a channel of a few pieces: who sends
//! on slowly makes the sender wait.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use bytes::Bytes;
use coffer_api::ErrorCode;
use futures_util::Stream;
use futures_util::future::{Ready, ready};
use tokio::sync::mpsc;

use crate::body::{BodyLimits, Flow, Pace, declared_bytes};
use crate::failure::{Failure, HttpError};
use crate::scaffold::Scaffold;
use crate::surface::{Native, Surface};

/// Pieces that wait to be sent on, at most. The HTTP layer makes them of 64 KiB or less.
const PIECES_AHEAD: usize = 4;

/// The body did not arrive whole. What was sent on of it must not count.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the request's body did not arrive whole")]
pub struct Interrupted;

/// Why the body did not arrive whole, once that is known.
#[derive(Clone, Debug, Default)]
pub struct Interruption(Arc<Mutex<Option<Failure>>>);

impl Interruption {
    /// Takes the reason: what the client is to be told instead of what became of the rest.
    pub fn take(&self) -> Option<Failure> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, failure: Failure) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }
}

/// The pieces of a body, in order; an error ends them.
pub struct Pieces(mpsc::Receiver<Result<Bytes, Interrupted>>);

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pieces")
    }
}

impl Stream for Pieces {
    type Item = Result<Bytes, Interrupted>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx)
    }
}

/// A body on its way through.
#[derive(Debug)]
pub struct PassedBody<S: Surface = Native> {
    /// Its length, if the client announced it, and the body itself, if there is one.
    pub body: Option<(Option<usize>, Pieces)>,
    /// Why it ended early, if it did.
    pub interruption: Interruption,
    surface: PhantomData<S>,
}

impl<S: Surface> FromRequest for PassedBody<S> {
    type Error = HttpError<S>;
    type Future = Ready<Result<Self, HttpError<S>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limits = match Scaffold::of(request) {
            Ok(scaffold) => BodyLimits { bytes_max: scaffold.passed_body_bytes_max, ..scaffold.body },
            Err(failure) => return ready(Err(failure.into())),
        };
        let length = declared_bytes(request);
        if length.is_some_and(|bytes| bytes > limits.bytes_max) {
            return ready(Err(Failure::of(ErrorCode::BodyTooLarge).into()));
        }
        let (interruption, surface) = (Interruption::default(), PhantomData);
        let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
        if !is_chunked && length.is_none_or(|bytes| bytes == 0) {
            return ready(Ok(Self { body: None, interruption, surface }));
        }
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        actix_web::rt::spawn(read(payload.take(), limits, sender, interruption.clone()));
        ready(Ok(Self { body: Some((length, Pieces(pieces))), interruption, surface }))
    }
}

/// A body of any length up to the service's bound on such, as it arrives. A long one is not cut off as long as it keeps
/// the slowest rate.
#[derive(Debug)]
pub struct StreamedBody<S: Surface = Native> {
    /// Its length, if the client announced it.
    pub length: Option<usize>,
    /// The body; without any pieces if there is none.
    pub pieces: Pieces,
    /// Why it ended early, if it did.
    pub interruption: Interruption,
    surface: PhantomData<S>,
}

impl<S: Surface> StreamedBody<S> {
    /// The same as what is passed on.
    pub fn into_passed(self) -> PassedBody<S> {
        let Self { length, pieces, interruption, surface } = self;
        let is_empty = length == Some(0);
        PassedBody { body: (!is_empty).then_some((length, pieces)), interruption, surface }
    }
}

impl<S: Surface> FromRequest for StreamedBody<S> {
    type Error = HttpError<S>;
    type Future = Ready<Result<Self, HttpError<S>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (limits, bytes_max) = match Scaffold::of(request) {
            Ok(scaffold) => (scaffold.body, scaffold.streamed_body_bytes_max),
            Err(failure) => return ready(Err(failure.into())),
        };
        let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
        let length = declared_bytes(request).or_else(|| (!is_chunked).then_some(0));
        if length.is_some_and(|bytes| bytes as u64 > bytes_max) {
            return ready(Err(Failure::of(ErrorCode::BodyTooLarge).into()));
        }
        let (interruption, surface) = (Interruption::default(), PhantomData);
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        actix_web::rt::spawn(stream(payload.take(), (limits, bytes_max), sender, interruption.clone()));
        ready(Ok(Self { length, pieces: Pieces(pieces), interruption, surface }))
    }
}

async fn stream(
    mut payload: Payload,
    (limits, bytes_max): (BodyLimits, u64),
    sender: mpsc::Sender<Result<Bytes, Interrupted>>,
    interruption: Interruption,
) {
    let (mut flow, mut received) = (Flow::new(&limits), 0);
    loop {
        let piece = tokio::select! {
            piece = flow.chunk(&mut payload) => piece,
            // Nobody wants the rest.
            () = sender.closed() => return,
        };
        let piece = match piece {
            Ok(None) => return,
            Ok(Some(piece)) => piece,
            Err(failure) => return interrupt(failure, &sender, &interruption).await,
        };
        received += piece.len() as u64;
        if received > bytes_max {
            return interrupt(Failure::of(ErrorCode::BodyTooLarge), &sender, &interruption).await;
        }
        if sender.send(Ok(piece)).await.is_err() {
            return;
        }
    }
}

async fn interrupt(
    failure: Failure,
    sender: &mpsc::Sender<Result<Bytes, Interrupted>>,
    interruption: &Interruption,
) {
    interruption.set(failure);
    // Who no longer listens has been told already.
    let _ = sender.send(Err(Interrupted)).await;
}

async fn read(
    mut payload: Payload,
    limits: BodyLimits,
    sender: mpsc::Sender<Result<Bytes, Interrupted>>,
    interruption: Interruption,
) {
    let mut pace = Pace::new(&limits);
    let mut received = 0;
    loop {
        let piece = tokio::select! {
            piece = pace.chunk(&mut payload, received) => piece,
            // Nobody wants the rest.
            () = sender.closed() => return,
        };
        let failure = match piece {
            Ok(None) => return,
            Ok(Some(piece)) if received + piece.len() > limits.bytes_max => {
                Failure::of(ErrorCode::BodyTooLarge)
            }
            Ok(Some(piece)) => {
                received += piece.len();
                if sender.send(Ok(piece)).await.is_err() {
                    return;
                }
                continue;
            }
            Err(failure) => failure,
        };
        return interrupt(failure, &sender, &interruption).await;
    }
}
