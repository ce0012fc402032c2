//! What happens in a test.

use std::time::Duration;

use proptest::prelude::*;

use super::super::bed::noise;

pub(super) const KEYS: u8 = 4;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Put { by_bob: bool, key: u8, value: u8, ttl: Option<Duration>, condition: Wanted },
    Delete(u8, Wanted),
    Restore(u8, u64),
    Untrash(u8),
    Purge(u8),
    Rename(u8, u8, Wanted),
    Copy(u8, u8, Wanted),
    Batch { at_once: bool, ops: Vec<BatchStep> },
    Grant(u8, bool, Option<Duration>),
    Revoke(u8),
    Wait(Duration),
    Collect,
}

/// One operation of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) enum BatchStep {
    Get(u8),
    Put(u8, u8, Wanted),
    Delete(u8, Wanted),
}

impl BatchStep {
    pub(super) fn key(self) -> u8 {
        match self {
            Self::Get(key) | Self::Put(key, _, _) | Self::Delete(key, _) => key,
        }
    }
}

/// A condition, in terms of what the model knows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    Nothing,
    Absent,
    Right,
    Wrong,
}

pub(super) fn name(number: u8) -> String {
    ["a", "a\0", "a/b", "報告"][usize::from(number)].to_owned()
}

/// Small values, and some that have parts.
pub(super) fn value(number: u8) -> Vec<u8> {
    let bytes = if number.is_multiple_of(5) { 5_000 + usize::from(number) } else { usize::from(number) };
    noise(bytes)
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || 0..KEYS;
    let wanted = || {
        prop_oneof![
            5 => Just(Wanted::Nothing),
            1 => Just(Wanted::Absent),
            1 => Just(Wanted::Right),
            1 => Just(Wanted::Wrong),
        ]
    };
    let time = || {
        prop_oneof![
            3 => (1..5_000_u64).prop_map(Duration::from_millis),
            1 => (1..30_u64).prop_map(Duration::from_hours),
        ]
    };
    let ttl = || proptest::option::weighted(0.4, time());
    let put = (proptest::bool::weighted(0.2), key(), 0..30_u8, ttl(), wanted());
    let put =
        put.prop_map(|(by_bob, key, value, ttl, condition)| Step::Put { by_bob, key, value, ttl, condition });
    let op = prop_oneof![
        1 => key().prop_map(BatchStep::Get),
        4 => (key(), 0..30_u8, wanted()).prop_map(|(key, value, wanted)| BatchStep::Put(key, value, wanted)),
        2 => (key(), wanted()).prop_map(|(key, wanted)| BatchStep::Delete(key, wanted)),
    ];
    let step = prop_oneof![
        10 => put,
        4 => (key(), wanted()).prop_map(|(key, wanted)| Step::Delete(key, wanted)),
        2 => (key(), 0..6_u64).prop_map(|(key, version)| Step::Restore(key, version)),
        2 => key().prop_map(Step::Untrash),
        1 => key().prop_map(Step::Purge),
        2 => (key(), key(), wanted()).prop_map(|(from, to, wanted)| Step::Rename(from, to, wanted)),
        2 => (key(), key(), wanted()).prop_map(|(from, to, wanted)| Step::Copy(from, to, wanted)),
        3 => (any::<bool>(), proptest::collection::vec(op, 1..5))
            .prop_map(|(at_once, ops)| Step::Batch { at_once, ops }),
        2 => (key(), any::<bool>(), ttl()).prop_map(|(key, writes, ttl)| Step::Grant(key, writes, ttl)),
        1 => key().prop_map(Step::Revoke),
        4 => time().prop_map(Step::Wait),
        2 => Just(Step::Collect),
    ];
    proptest::collection::vec(step, 1..40)
}
