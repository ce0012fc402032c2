//! A commit as one call of the script `commit.lua`, and its answer.

use bytes::{BufMut as _, BytesMut};
use coffer_core::Timestamp;
use redis::{Cmd, Value};

use super::super::limits::COUNTER_RANGE;
use super::super::log;
use super::super::{COUNTER_MAX, Commit, Committed, Guard, Operation, Outcome, Sort, StoreError, Version};
use super::encoding::{bytes_tail, counter_tail, ttl_ms};
use super::keys::PartitionKeys;
use crate::redis_link::Script;

/// What the script answered.
pub(super) enum Answer {
    Done(Outcome),
    /// Nothing was done: the partition is empty, and must first be registered under this generation.
    Register(Vec<u8>),
}

/// What a commit says besides its guards and operations.
pub(super) struct Context<'a> {
    pub(super) now: Timestamp,
    /// The generation that the partition was just registered under.
    pub(super) registered: &'a [u8],
}

/// The script's call for `commit`; `commit.lua` says what it takes.
pub(super) fn call(script: &Script, keys: &PartitionKeys, commit: &Commit, context: &Context<'_>) -> Cmd {
    let mut call = Call { keys, records: Vec::new(), arguments: Vec::new() };
    let guards = call.guards(&commit.guards);
    let operations = call.operations(&commit.operations, context.now);

    let mut head = BytesMut::with_capacity(20);
    head.put_i64(context.now.as_ms());
    for number in [keys.record_prefix_bytes(), guards].into_iter().chain(operations) {
        head.put_u16(u16::try_from(number).expect("a commit has few items, a tag at most 2 KiB"));
    }
    let mut command = script.call(3 + call.records.len());
    command.arg(keys.index()).arg(keys.sequence()).arg(keys.generation()).arg(call.records);
    command.arg(&head[..]).arg(context.registered).arg(call.arguments);
    command
}

struct Call<'a> {
    keys: &'a PartitionKeys,
    records: Vec<Vec<u8>>,
    arguments: Vec<Vec<u8>>,
}

impl Call<'_> {
    fn record(&mut self, sort: &Sort) {
        self.records.push(self.keys.record(sort));
    }

    fn guards(&mut self, guards: &[Guard]) -> usize {
        for guard in guards {
            self.record(guard.sort());
            self.arguments.push(match guard {
                Guard::Absent(_) => b"a".to_vec(),
                Guard::AtVersion(_, version) => [&b"v"[..], &version.0.to_be_bytes()].concat(),
                Guard::CounterWithin { min, max, .. } => {
                    // The script's numbers are exact only this far, and counters never go further.
                    let (min, max) = ((*min).max(-COUNTER_MAX), (*max).min(COUNTER_MAX));
                    [&b"c"[..], &min.to_be_bytes(), &max.to_be_bytes()].concat()
                }
            });
        }
        guards.len()
    }

    /// Answers how many adds, puts, appends and deletes there are; in this order the script takes them.
    fn operations(&mut self, operations: &[Operation], now: Timestamp) -> [usize; 4] {
        let ttl = |expires_at| ttl_ms(expires_at, now).map_or(Vec::new(), |ms| ms.to_string().into_bytes());
        let (mut adds, mut puts, mut appends, mut deletes) = (0, 0, 0, 0);
        for operation in operations {
            if let Operation::Add { sort, delta, expires_at } = operation {
                adds += 1;
                self.record(sort);
                let written = [delta.to_string().into_bytes(), counter_tail(*expires_at), ttl(*expires_at)];
                self.arguments.extend(written);
            }
        }
        for operation in operations {
            if let Operation::Put { sort, value, expires_at } = operation {
                puts += 1;
                self.record(sort);
                self.arguments.extend([bytes_tail(value, *expires_at), ttl(*expires_at)]);
            }
        }
        for operation in operations {
            if let Operation::Append { prefix, value, expires_at } = operation {
                appends += 1;
                // The script completes the key with the version.
                self.record(&Sort::from_bytes(log::head(prefix).freeze()));
                self.arguments.extend([bytes_tail(value, *expires_at), ttl(*expires_at)]);
            }
        }
        for operation in operations {
            if let Operation::Delete { sort } = operation {
                deletes += 1;
                self.record(sort);
            }
        }
        [adds, puts, appends, deletes]
    }
}

/// Reads the script's answer.
pub(super) fn answer(value: Value) -> Result<Answer, StoreError> {
    let Value::Array(parts) = value else { return Err(unexpected()) };
    let mut parts = parts.into_iter();
    let numbers = |parts: std::vec::IntoIter<Value>| -> Result<Vec<i64>, StoreError> {
        parts.map(|part| if let Value::Int(number) = part { Ok(number) } else { Err(unexpected()) }).collect()
    };
    match (parts.next(), parts.next()) {
        (Some(Value::Int(1)), Some(Value::Int(version))) => {
            let version = Version(version.cast_unsigned());
            Ok(Answer::Done(Outcome::Committed(Committed { version, counters: numbers(parts)? })))
        }
        (Some(Value::Int(0)), Some(Value::Int(guard))) => {
            let guard = usize::try_from(guard).map_err(|_| unexpected())?;
            Ok(Answer::Done(Outcome::Refused { guard }))
        }
        (Some(Value::Int(2)), Some(Value::BulkString(generation))) => Ok(Answer::Register(generation)),
        (Some(Value::Int(3)), None) => Err(StoreError::Limit(COUNTER_RANGE)),
        _ => Err(unexpected()),
    }
}

/// The script that answers is the one that we sent by its hash, so this does not happen; if it does, the commit
/// may have.
fn unexpected() -> StoreError {
    StoreError::OutcomeUnknown { doing: "committing", source: "an answer of another form".into() }
}
