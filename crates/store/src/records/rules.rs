//! What guards and counters mean, for the back ends that decide in Rust. (Redis decides in its script.)

use coffer_core::Timestamp;

use super::{COUNTER_MAX, Guard, StoreError, Value, Version, limits::COUNTER_RANGE};

/// As much of a live record as guards and counters look at.
#[derive(Clone, Copy)]
pub(super) struct Live {
    pub(super) version: Version,
    /// The number, if it is a counter.
    pub(super) counter: Option<i64>,
}

impl Live {
    pub(super) fn of(version: Version, value: &Value) -> Self {
        let counter = match value {
            Value::Counter(number) => Some(*number),
            Value::Bytes(_) => None,
        };
        Self { version, counter }
    }
}

/// Whether a record that expires then is live now: from `expires_at` on it is not.
pub(super) fn is_live(expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    expires_at.is_none_or(|expires_at| now < expires_at)
}

/// Whether the guard holds over the live record at its key.
pub(super) fn holds(guard: &Guard, live: Option<Live>) -> bool {
    match guard {
        Guard::Absent(_) => live.is_none(),
        Guard::AtVersion(_, version) => live.is_some_and(|live| live.version == *version),
        Guard::CounterWithin { min, max, .. } => {
            live.map_or(Some(0), |live| live.counter).is_some_and(|number| (*min..=*max).contains(&number))
        }
    }
}

/// What a counter becomes; an absent one, or bytes in its place, begins at 0.
pub(super) fn added(live: Option<Live>, delta: i64) -> Result<i64, StoreError> {
    let number = live.and_then(|live| live.counter).unwrap_or(0);
    number
        .checked_add(delta)
        .filter(|sum| (-COUNTER_MAX..=COUNTER_MAX).contains(sum))
        .ok_or(StoreError::Limit(COUNTER_RANGE))
}
