//! A commit whose values are still plain, and are sealed as it is made.

use std::ops::RangeInclusive;

use coffer_core::{SecretBytes, Timestamp};
use serde::Serialize;

use super::super::{Commit, Guard, Sort, StoreError, Version};
use super::codec;

/// Guards and operations on one partition; see [`Commit`]. Values are wiped when it is dropped.
#[derive(Debug, Default)]
pub struct SealedCommit {
    /// Everything but what has a value. (Only the order of adds means anything, so the rest may stand apart.)
    rest: Commit,
    writes: Vec<Write>,
}

#[derive(Debug)]
struct Write {
    place: Place,
    value: Result<SecretBytes, StoreError>,
    expires_at: Option<Timestamp>,
}

/// Where a value will stand, as far as it is known when it is sealed.
#[derive(Debug)]
pub(super) enum Place {
    Record(Sort),
    /// At the end of the log of this prefix.
    Log(Sort),
}

impl SealedCommit {
    /// An empty commit to build upon.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a guard.
    #[must_use]
    pub fn guard(mut self, guard: Guard) -> Self {
        self.rest = self.rest.guard(guard);
        self
    }

    /// Guards that there is no live record at `sort`.
    #[must_use]
    pub fn absent(mut self, sort: &Sort) -> Self {
        self.rest = self.rest.absent(sort);
        self
    }

    /// Guards that the record at `sort` is still at `version`.
    #[must_use]
    pub fn at_version(mut self, sort: &Sort, version: Version) -> Self {
        self.rest = self.rest.at_version(sort, version);
        self
    }

    /// Guards that the counter at `sort`, 0 if absent, is within `range`.
    #[must_use]
    pub fn counter_within(mut self, sort: &Sort, range: RangeInclusive<i64>) -> Self {
        self.rest = self.rest.counter_within(sort, range);
        self
    }

    /// Writes a record of these bytes, at most
    /// [`SEALED_VALUE_BYTES_MAX`](super::SEALED_VALUE_BYTES_MAX).
    #[must_use]
    pub fn put(mut self, sort: &Sort, value: SecretBytes, expires_at: Option<Timestamp>) -> Self {
        self.writes.push(Write { place: Place::Record(sort.clone()), value: Ok(value), expires_at });
        self
    }

    /// Writes a record of this value. A value that cannot be written fails the commit.
    #[must_use]
    pub fn put_as<T>(mut self, sort: &Sort, value: &T, expires_at: Option<Timestamp>) -> Self
    where
        T: Serialize + ?Sized,
    {
        let place = Place::Record(sort.clone());
        self.writes.push(Write { place, value: codec::encode(value), expires_at });
        self
    }

    /// Appends these bytes, at most [`SEALED_VALUE_BYTES_MAX`](super::SEALED_VALUE_BYTES_MAX), to the log `prefix`.
    #[must_use]
    pub fn append(mut self, prefix: &Sort, value: SecretBytes, expires_at: Option<Timestamp>) -> Self {
        self.writes.push(Write { place: Place::Log(prefix.clone()), value: Ok(value), expires_at });
        self
    }

    /// Appends this value to the log `prefix`. A value that cannot be written fails the commit.
    #[must_use]
    pub fn append_as<T>(mut self, prefix: &Sort, value: &T, expires_at: Option<Timestamp>) -> Self
    where
        T: Serialize + ?Sized,
    {
        let place = Place::Log(prefix.clone());
        self.writes.push(Write { place, value: codec::encode(value), expires_at });
        self
    }

    /// Moves a record to its past.
    #[must_use]
    pub fn retire(mut self, sort: &Sort, expires_at: Option<Timestamp>) -> Self {
        self.rest = self.rest.retire(sort, expires_at);
        self
    }

    /// Removes a record.
    #[must_use]
    pub fn delete(mut self, sort: &Sort) -> Self {
        self.rest = self.rest.delete(sort);
        self
    }

    /// Adds to a counter.
    #[must_use]
    pub fn add(mut self, sort: &Sort, delta: i64, expires_at: Option<Timestamp>) -> Self {
        self.rest = self.rest.add(sort, delta, expires_at);
        self
    }

    pub(super) fn seal(self, seal: impl Fn(&Place, &SecretBytes) -> Vec<u8>) -> Result<Commit, StoreError> {
        self.writes.into_iter().try_fold(self.rest, |commit, write| {
            let sealed = seal(&write.place, &write.value?);
            Ok(match write.place {
                Place::Record(sort) => commit.put(&sort, sealed, write.expires_at),
                Place::Log(prefix) => commit.append(&prefix, sealed, write.expires_at),
            })
        })
    }
}
