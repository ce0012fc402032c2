//! Reading a request's body: bounded in size, in time and, over all requests together, in memory.
//!
//! A body that arrives at once, as nearly all do, costs neither a copy nor a timer. A slow one must keep
//! to a minimum rate after a grace, and to a deadline in all. Bytes count against the service's bound
//! only as they arrive: announcing much and sending little holds nothing.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use bytes::{Bytes, BytesMut};
use coffer_api::ErrorCode;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::Instant;

use crate::failure::Failure;
use crate::in_flight::{BytesInFlight, Reservation};

const KIB: usize = 1024;

/// What a body may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// One body.
    pub bytes_max: usize,
    /// How long its sender may be waited for in all.
    pub deadline: Duration,
    /// Time for which the rate is not looked at.
    pub grace: Duration,
    /// Slowest average rate after the grace.
    pub bytes_per_s_min: usize,
    /// All larger bodies of the service together.
    pub in_flight_bytes_max: usize,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            bytes_max: KIB * KIB,
            deadline: Duration::from_mins(1),
            grace: Duration::from_secs(5),
            bytes_per_s_min: KIB,
            in_flight_bytes_max: 256 * KIB * KIB,
        }
    }
}

impl BodyLimits {
    /// Whether a sender of `received` bytes, who was waited for so long, keeps pace.
    fn check_pace(&self, elapsed: Duration, received: usize) -> Result<(), Failure> {
        let counted_ms = elapsed.saturating_sub(self.grace).as_millis();
        let expected = counted_ms.saturating_mul(self.bytes_per_s_min as u128) / 1000;
        if elapsed >= self.deadline || (received as u128) < expected {
            return Err(Failure::of(ErrorCode::RequestTimeout));
        }
        Ok(())
    }
}

/// How long is waited for a piece before it is looked at how much has come.
const LOOK: Duration = Duration::from_secs(1);

/// What came of waiting for a piece, if anything came, and how long the sender was waited for: not for longer than
/// `limit`, even if this thread was held up by something else and saw only later what had come meanwhile.
async fn wait(payload: &mut Payload, limit: Duration) -> (Option<Piece>, Duration) {
    let (limit, started) = (limit.min(LOOK), Instant::now());
    let piece = tokio::time::timeout(limit, payload.next()).await;
    (piece.ok(), started.elapsed().min(limit))
}

type Piece = Option<Result<Bytes, PayloadError>>;

/// A body on its way. Only the time for which the sender is waited for counts.
pub(crate) struct Pace<'a> {
    limits: &'a BodyLimits,
    waited: Duration,
}

impl<'a> Pace<'a> {
    pub(crate) fn new(limits: &'a BodyLimits) -> Self {
        Self { limits, waited: Duration::ZERO }
    }

    /// The next piece, unless the sender is too slow; `received` bytes have come before it.
    pub(crate) async fn chunk(
        &mut self,
        payload: &mut Payload,
        received: usize,
    ) -> Result<Option<Bytes>, Failure> {
        if let Some(ready) = payload.next().now_or_never() {
            return ready.transpose().map_err(|error| unreadable(&error));
        }
        loop {
            let left = self.limits.deadline.saturating_sub(self.waited);
            let (piece, waited) = wait(payload, left.min(self.limits.grace)).await;
            self.waited += waited;
            let Some(piece) = piece else {
                self.limits.check_pace(self.waited, received)?;
                continue;
            };
            let piece = piece.transpose().map_err(|error| unreadable(&error))?;
            self.limits.check_pace(self.waited, received + piece.as_ref().map_or(0, Bytes::len))?;
            return Ok(piece);
        }
    }
}

/// A body of any length on its way. Nothing bounds how long it takes in all: each stretch of
/// [`BodyLimits::deadline`] must bring what the slowest rate makes of it. So who was fast at first cannot rest on that,
/// and who feeds it from a program that pauses has a while.
///
/// Only the time for which the sender is waited for counts: it is not the sender's fault when storage is slow.
pub(crate) struct Flow<'a> {
    limits: &'a BodyLimits,
    waited: Duration,
    received: usize,
}

impl<'a> Flow<'a> {
    pub(crate) fn new(limits: &'a BodyLimits) -> Self {
        Self { limits, waited: Duration::ZERO, received: 0 }
    }

    /// The next piece, unless the sender is too slow.
    pub(crate) async fn chunk(&mut self, payload: &mut Payload) -> Result<Option<Bytes>, Failure> {
        loop {
            let (chunk, waited) = wait(payload, self.limits.deadline.saturating_sub(self.waited)).await;
            self.waited += waited;
            self.end_of_stretch()?;
            if let Some(chunk) = chunk {
                let chunk = chunk.transpose().map_err(|error| unreadable(&error))?;
                self.received += chunk.as_ref().map_or(0, Bytes::len);
                return Ok(chunk);
            }
        }
    }

    fn end_of_stretch(&mut self) -> Result<(), Failure> {
        if self.waited < self.limits.deadline {
            return Ok(());
        }
        let expected =
            self.limits.deadline.as_millis().saturating_mul(self.limits.bytes_per_s_min as u128) / 1000;
        if (self.received as u128) < expected {
            return Err(Failure::of(ErrorCode::RequestTimeout));
        }
        (self.waited, self.received) = (Duration::ZERO, 0);
        Ok(())
    }
}

fn unreadable(error: &PayloadError) -> Failure {
    let code = match error {
        PayloadError::Overflow => ErrorCode::BodyTooLarge,
        _ => ErrorCode::BadRequest,
    };
    Failure::of(code).with_detail("the request body could not be read").with_cause(error.to_string())
}

pub(crate) fn declared_bytes(request: &HttpRequest) -> Option<usize> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn check_encoding(request: &HttpRequest) -> Result<(), Failure> {
    match request.headers().get(header::CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            Err(Failure::of(ErrorCode::BodyCompressed))
        }
        _ => Ok(()),
    }
}

/// Reads the whole body within `limits`.
pub(crate) async fn read(
    request: &HttpRequest,
    payload: &mut Payload,
    limits: &BodyLimits,
    bound: &BytesInFlight,
) -> Result<(Bytes, Reservation), Failure> {
    check_encoding(request)?;
    let declared = declared_bytes(request);
    if declared.is_some_and(|bytes| bytes > limits.bytes_max) {
        return Err(Failure::of(ErrorCode::BodyTooLarge));
    }
    let mut reservation = Reservation::default();
    let first = match payload.next().now_or_never() {
        Some(None) => return Ok((Bytes::new(), reservation)),
        Some(Some(chunk)) => chunk.map_err(|error| unreadable(&error))?,
        None => Bytes::new(),
    };
    if declared == Some(first.len()) {
        return Ok((first, reservation));
    }
    let mut pace = Pace::new(limits);
    // Untouched pages of a large buffer cost nothing, so what was announced may as well be laid out.
    let mut body = BytesMut::with_capacity(declared.unwrap_or(0).max(first.len()));
    let mut chunk = Some(first);
    while let Some(bytes) = chunk {
        let length = body.len() + bytes.len();
        if length > limits.bytes_max {
            return Err(Failure::of(ErrorCode::BodyTooLarge));
        }
        reservation.grow(length, bound)?;
        body.extend_from_slice(&bytes);
        chunk = pace.chunk(payload, length).await?;
    }
    Ok((body.freeze(), reservation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_of_any_length_must_keep_the_rate_in_every_stretch_and_has_no_end_in_time() {
        let limits = BodyLimits { bytes_per_s_min: 100, ..BodyLimits::default() };
        // Every 50 seconds, for more than three hours; then nothing.
        let pieces = futures_util::stream::unfold(0, |number| async move {
            let wait = if number < 250 { 50 } else { 3600 };
            tokio::time::sleep(Duration::from_secs(wait)).await;
            Some((Ok(Bytes::from(vec![0; 6000])), number + 1))
        });
        let mut payload = Payload::Stream { payload: pieces.boxed_local() };
        let mut flow = Flow::new(&limits);
        for _ in 0..250 {
            assert_eq!(flow.chunk(&mut payload).await.unwrap().unwrap().len(), 6000);
        }
        let (stopped, refused) = (Instant::now(), flow.chunk(&mut payload).await);
        assert_eq!(refused.unwrap_err().code, ErrorCode::RequestTimeout);
        assert!(stopped.elapsed() <= 2 * limits.deadline, "what came before is no credit");
        let slow = BodyLimits { bytes_per_s_min: 1000, ..limits };
        let pieces = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok(Bytes::from(vec![0; 900])), ()))
        });
        let (mut payload, mut flow) = (Payload::Stream { payload: pieces.boxed_local() }, Flow::new(&slow));
        let mut received = 0;
        while let Ok(Some(piece)) = flow.chunk(&mut payload).await {
            received += piece.len();
        }
        assert!(received < 60_000, "nine tenths of the rate is too slow: {received}");
    }

    /// Pieces of a byte, one each `every`.
    fn drops(every: Duration, number: usize) -> Payload {
        let pieces = futures_util::stream::unfold(0, move |sent| async move {
            tokio::time::sleep(every).await;
            (sent < number).then(|| (Ok(Bytes::from_static(b"x")), sent + 1))
        });
        Payload::Stream { payload: pieces.boxed_local() }
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_a_little_again_and_again_is_too_slow_all_the_same() {
        let limits = BodyLimits { bytes_per_s_min: 10, ..BodyLimits::default() };
        let (mut payload, mut received) = (drops(Duration::from_millis(400), 1000), 0);
        let (mut pace, begun) = (Pace::new(&limits), Instant::now());
        let refused = loop {
            match pace.chunk(&mut payload, received).await {
                Ok(piece) => received += piece.map_or(0, |piece| piece.len()),
                Err(failure) => break failure,
            }
        };
        assert_eq!(refused.code, ErrorCode::RequestTimeout);
        assert!(received > 5 && begun.elapsed() < Duration::from_secs(10), "{received}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_had_arrived_while_the_thread_was_busy_is_taken() {
        let limits = BodyLimits::default();
        let (mut payload, mut pace) = (drops(Duration::from_millis(100), 2), Pace::new(&limits));
        let busy = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            // As if this thread did nothing else for longer than a body may take.
            tokio::time::advance(2 * limits.deadline).await;
        };
        let (piece, ()) = tokio::join!(pace.chunk(&mut payload, 0), busy);
        assert_eq!(piece.unwrap().as_deref(), Some(&b"x"[..]));
        tokio::time::advance(2 * limits.deadline).await;
        assert_eq!(pace.chunk(&mut payload, 1).await.unwrap().as_deref(), Some(&b"x"[..]));
        assert_eq!(pace.chunk(&mut payload, 2).await.unwrap(), None);
    }

    #[test]
    fn a_sender_has_a_grace_then_a_rate_then_a_deadline() {
        let limits = BodyLimits { bytes_per_s_min: 100, ..BodyLimits::default() };
        let pace = |elapsed_s, received| limits.check_pace(Duration::from_secs(elapsed_s), received);
        assert!(pace(5, 0).is_ok());
        assert_eq!(pace(15, 999).unwrap_err().code, ErrorCode::RequestTimeout);
        assert!(pace(15, 1000).is_ok());
        assert!(pace(60, usize::MAX).is_err());
    }
}
