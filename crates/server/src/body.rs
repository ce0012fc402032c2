//! Reading a request's body: bounded in size, in time and, over all requests together, in memory.
//!
//! A body that arrives at once, as nearly all do, costs neither a copy nor a timer. A slow one must keep
//! to a minimum rate after a grace, and to a deadline in all. Bytes count against the service's bound
//! only as they arrive: announcing much and sending little holds nothing.

use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use bytes::{Bytes, BytesMut};
use coffer_api::ErrorCode;
use futures_util::future::{Ready, ready};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::failure::{Failure, HttpError, UNAVAILABLE_RETRY_AFTER_S};
use crate::scaffold::Scaffold;
use crate::surface::Native;

const KIB: usize = 1024;
/// Bodies up to this size are not counted: their number is bounded by that of the connections.
const UNCOUNTED_BYTES_MAX: usize = 64 * KIB;
/// Larger bodies are counted in steps of this.
const STEP_BYTES: usize = 256 * KIB;

/// What a body may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// One body.
    pub bytes_max: usize,
    /// From the first look at the body to its end.
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

/// The service's bound on larger bodies in memory.
///
/// As an extractor it is for handlers whose answers need much memory: they take a share for those as well.
#[derive(Clone, Debug)]
pub struct BytesInFlight {
    permits: Arc<Semaphore>,
    bytes_max: usize,
}

impl BytesInFlight {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let permits = (bytes_max / KIB).min(Semaphore::MAX_PERMITS);
        Self { permits: Arc::new(Semaphore::new(permits)), bytes_max }
    }

    /// A share for about so many bytes. What is larger than half of the bound takes half of it: it could not be had
    /// at all otherwise.
    pub fn share(&self, bytes: usize) -> Result<Reservation, Failure> {
        let mut reservation = Reservation::default();
        reservation.grow(bytes.min(self.bytes_max / 2), self)?;
        Ok(reservation)
    }

    fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Failure> {
        let permits = u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX);
        Arc::clone(&self.permits).try_acquire_many_owned(permits).map_err(|_| busy())
    }
}

impl FromRequest for BytesInFlight {
    type Error = HttpError<Native>;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Scaffold::of(request).map(|scaffold| scaffold.bytes_in_flight.clone()).map_err(HttpError::from))
    }
}

/// Not logged: it comes in masses, or not at all. The metric tells.
fn busy() -> Failure {
    metrics::counter!("http_bodies_refused_total").increment(1);
    Failure { retry_after_s: Some(UNAVAILABLE_RETRY_AFTER_S), ..Failure::of(ErrorCode::Unavailable) }
}

/// The share of a body in the bound on bytes in flight. Keep it as long as what was made of the body.
#[derive(Debug, Default)]
pub struct Reservation {
    bytes: usize,
    permit: Option<OwnedSemaphorePermit>,
}

impl Reservation {
    fn grow(&mut self, bytes: usize, bound: &BytesInFlight) -> Result<(), Failure> {
        if bytes <= UNCOUNTED_BYTES_MAX || bytes <= self.bytes {
            return Ok(());
        }
        let step = bytes.next_multiple_of(STEP_BYTES);
        let (wanted, more) = match bound.reserve(step - self.bytes) {
            Ok(more) => (step, more),
            // A whole step is only for speed; what is there may do.
            Err(_) => (bytes, bound.reserve(bytes - self.bytes)?),
        };
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
        self.bytes = wanted;
        Ok(())
    }
}

impl BodyLimits {
    /// Whether a sender of `received` bytes after `elapsed` keeps pace.
    fn check_pace(&self, elapsed: Duration, received: usize) -> Result<(), Failure> {
        let counted_ms = elapsed.saturating_sub(self.grace).as_millis();
        let expected = counted_ms.saturating_mul(self.bytes_per_s_min as u128) / 1000;
        if elapsed >= self.deadline || (received as u128) < expected {
            return Err(Failure::of(ErrorCode::RequestTimeout));
        }
        Ok(())
    }
}

/// A body on its way.
pub(crate) struct Pace<'a> {
    pub(crate) limits: &'a BodyLimits,
    pub(crate) started: Instant,
}

impl Pace<'_> {
    /// When to look again although nothing came.
    fn next_look(&self) -> Instant {
        let deadline = self.started + self.limits.deadline;
        deadline.min(Instant::now() + Duration::from_secs(1).min(self.limits.grace))
    }

    /// The next piece, unless the sender is too slow; `received` bytes have come before it.
    pub(crate) async fn chunk(
        &self,
        payload: &mut Payload,
        received: usize,
    ) -> Result<Option<Bytes>, Failure> {
        loop {
            self.limits.check_pace(self.started.elapsed(), received)?;
            if let Ok(chunk) = tokio::time::timeout_at(self.next_look(), payload.next()).await {
                return chunk.transpose().map_err(|error| unreadable(&error));
            }
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
            let started = Instant::now();
            let until = started + self.limits.deadline.saturating_sub(self.waited);
            let chunk = tokio::time::timeout_at(until, payload.next()).await;
            self.waited += started.elapsed();
            self.end_of_stretch()?;
            if let Ok(chunk) = chunk {
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
            Err(Failure::of(ErrorCode::UnsupportedMediaType).with_detail("the body must not be compressed"))
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
    let pace = Pace { limits, started: Instant::now() };
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
        chunk = match payload.next().now_or_never() {
            Some(ready) => ready.transpose().map_err(|error| unreadable(&error))?,
            None => pace.chunk(payload, length).await?,
        };
    }
    Ok((body.freeze(), reservation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_in_flight_are_bounded_and_given_back() {
        let bound = BytesInFlight::new(KIB * KIB);
        let mut one = Reservation::default();
        one.grow(1000 * KIB, &bound).unwrap();
        let mut other = Reservation::default();
        assert_eq!(other.grow(100 * KIB, &bound).unwrap_err().code, ErrorCode::Unavailable);
        other.grow(UNCOUNTED_BYTES_MAX, &bound).unwrap();
        drop(one);
        other.grow(100 * KIB, &bound).unwrap();
        drop(other);
        // Two halves at most, however much more is asked for.
        let halves = [100 * KIB * KIB, 600 * KIB].map(|bytes| bound.share(bytes).unwrap());
        assert_eq!(bound.share(100 * KIB).unwrap_err().code, ErrorCode::Unavailable);
        drop(halves);
        bound.share(600 * KIB).unwrap();
    }

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
