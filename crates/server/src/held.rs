//! An answer's body that keeps something until it is sent or given up: its share of the bytes in flight.
//!
//! It goes out in pieces. The HTTP layer copies what it is given into a buffer of the connection, and asks for more when
//! most of that is sent: a body in one piece would be in memory twice, and be over for us long before it is sent.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;

/// The size of a piece.
const PIECE_BYTES: usize = 64 * 1024;

/// A body that keeps `T` until it is dropped.
#[derive(Debug)]
pub struct HeldBody<T> {
    bytes: Bytes,
    sent: usize,
    _held: T,
}

impl<T> HeldBody<T> {
    /// The body `bytes`.
    pub fn new(bytes: impl Into<Bytes>, held: T) -> Self {
        Self { bytes: bytes.into(), sent: 0, _held: held }
    }
}

impl<T: Unpin> MessageBody for HeldBody<T> {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.bytes.len() as u64)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let this = self.get_mut();
        let end = this.bytes.len().min(this.sent + PIECE_BYTES);
        let piece = this.bytes.slice(this.sent..end);
        this.sent = end;
        Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_body_arrives_whole_and_keeps_what_it_holds_until_it_is_dropped() {
        for length in [0, 1, PIECE_BYTES, 3 * PIECE_BYTES + 7] {
            let held = Arc::new(());
            let bytes: Vec<u8> = (0..length).map(|at| at.to_le_bytes()[0]).collect();
            let mut body = Box::pin(HeldBody::new(bytes.clone(), Arc::clone(&held)));
            assert_eq!(body.size(), BodySize::Sized(length as u64));
            let mut got = Vec::new();
            while let Some(Ok(piece)) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
                assert!(piece.len() <= PIECE_BYTES);
                got.extend_from_slice(&piece);
            }
            assert!(got == bytes && Arc::strong_count(&held) == 2);
            drop(body);
            assert_eq!(Arc::strong_count(&held), 1);
        }
    }
}
