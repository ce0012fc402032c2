//! The service's bound on larger bodies in memory: of requests while they arrive and are worked on, and of answers until
//! they are sent.

use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use coffer_api::ErrorCode;
use futures_util::future::{Ready, ready};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::failure::{Failure, HttpError, UNAVAILABLE_RETRY_AFTER_S};
use crate::scaffold::Scaffold;
use crate::surface::Native;

const KIB: usize = 1024;
/// What is up to this size, in bytes, is not counted: its number is bounded by that of the connections.
pub const UNCOUNTED_BYTES_MAX: usize = 64 * KIB;
/// What is larger is counted in steps of this.
const STEP_BYTES: usize = 256 * KIB;

/// A bound on larger bodies in memory.
///
/// As an extractor it is the service's own, for handlers whose answers need much memory: they take a share for those as
/// well.
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

    /// A bound of its own on the `nth` part of as much.
    #[must_use]
    pub fn part(&self, nth: usize) -> Self {
        Self::new(self.bytes_max / nth)
    }

    /// Whether nobody else has it or a share of it.
    pub fn is_unused(&self) -> bool {
        Arc::strong_count(&self.permits) == 1
    }

    /// A share for about so many bytes. What is larger than half of the bound takes half of it: it could not be had
    /// at all otherwise.
    pub fn share(&self, bytes: usize) -> Result<Reservation, Failure> {
        let mut reservation = Reservation::default();
        reservation.grow(bytes.min(self.bytes_max / 2), self)?;
        Ok(reservation)
    }

    /// As [`share`](Self::share), waiting for others to give theirs back, at most for so long.
    pub async fn share_within(&self, bytes: usize, wait: Duration) -> Result<Reservation, Failure> {
        let bytes = bytes.min(self.bytes_max / 2);
        if bytes <= UNCOUNTED_BYTES_MAX {
            return Ok(Reservation::default());
        }
        let share = Arc::clone(&self.permits).acquire_many_owned(permits_for(bytes));
        match tokio::time::timeout(wait, share).await {
            Ok(Ok(permit)) => Ok(Reservation { bytes, permit: Some(permit) }),
            // It is never closed.
            Ok(Err(_)) | Err(_) => Err(busy()),
        }
    }

    fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Failure> {
        Arc::clone(&self.permits).try_acquire_many_owned(permits_for(bytes)).map_err(|_| busy())
    }
}

fn permits_for(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX)
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

/// A share of the bytes in flight. Keep it as long as what it was taken for.
#[derive(Debug, Default)]
pub struct Reservation {
    bytes: usize,
    permit: Option<OwnedSemaphorePermit>,
}

impl Reservation {
    /// Makes it one for so many bytes, if it is for fewer, and as far as half of the bound goes.
    pub fn ensure(&mut self, bytes: usize, bound: &BytesInFlight) -> Result<(), Failure> {
        self.grow(bytes.min(bound.bytes_max / 2), bound)
    }

    /// Gives back what is more than so many bytes need.
    pub fn shrink(&mut self, bytes: usize) {
        let Some(permit) = self.permit.as_mut().filter(|_| bytes < self.bytes) else { return };
        let kept = if bytes <= UNCOUNTED_BYTES_MAX { 0 } else { bytes.div_ceil(KIB) };
        drop(permit.num_permits().checked_sub(kept).and_then(|over| permit.split(over)));
        self.bytes = bytes;
    }

    pub(crate) fn grow(&mut self, bytes: usize, bound: &BytesInFlight) -> Result<(), Failure> {
        if bytes <= UNCOUNTED_BYTES_MAX || bytes <= self.bytes {
            return Ok(());
        }
        let has = self.permit.as_ref().map_or(0, |permit| permit.num_permits() * KIB);
        let step = bytes.next_multiple_of(STEP_BYTES);
        let (wanted, more) = match bound.reserve(step.saturating_sub(has)) {
            Ok(more) => (step, more),
            // A whole step is only for speed; what is there may do.
            Err(_) => (bytes, bound.reserve(bytes.saturating_sub(has))?),
        };
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
        self.bytes = wanted;
        Ok(())
    }
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

    #[test]
    fn what_a_share_gives_back_others_have() {
        let bound = BytesInFlight::new(KIB * KIB);
        let mut one = bound.share(500 * KIB).unwrap();
        let mut other = bound.share(500 * KIB).unwrap();
        one.shrink(200 * KIB);
        other.shrink(700 * KIB);
        let third = bound.share(300 * KIB).unwrap();
        assert!(bound.share(100 * KIB).is_err());
        one.shrink(UNCOUNTED_BYTES_MAX);
        one.ensure(100 * KIB, &bound).unwrap();
        assert!(bound.share(200 * KIB).is_err() && one.ensure(400 * KIB, &bound).is_err());
        drop((one, other, third));
        assert_eq!(bound.permits.available_permits(), KIB);
        assert!(bound.is_unused());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_share_has_it_when_there_is_room_and_not_later() {
        let bound = BytesInFlight::new(KIB * KIB);
        let wait = Duration::from_secs(2);
        let mut held = [bound.share(KIB * KIB).unwrap(), bound.share(KIB * KIB).unwrap()];
        assert_eq!(bound.share_within(300 * KIB, wait).await.unwrap_err().code, ErrorCode::Unavailable);
        let waiting = bound.share_within(300 * KIB, wait);
        let giving = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            held[0].shrink(200 * KIB);
        };
        let (had, ()) = tokio::join!(waiting, giving);
        assert!(had.is_ok());
    }
}
