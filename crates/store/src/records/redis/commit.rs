//! A commit as one call of the script `commit.lua`, and its answer.

use redis::{Cmd, Value};

use super::super::limits::COUNTER_RANGE;
use super::super::{
    COUNTER_MAX, Commit, Committed, Guard, Operation, Outcome, Partition, Sort, StoreError, Version,
};
use super::encoding::{bytes_tail, counter_tail, ttl_ms};
use super::keys::PartitionKeys;
use crate::redis_link::Script;
use coffer_core::Timestamp;

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

/// The script's call for `commit`.
pub(super) fn call(
    script: &Script,
    keys: &PartitionKeys,
    (partition, commit): (&Partition, &Commit),
    context: &Context<'_>,
) -> Cmd {
    let mut call = Call { records: Vec::new(), arguments: Vec::new() };
    call.arguments.push(context.now.as_ms().to_string().into_bytes());
    call.arguments.push(context.registered.to_vec());
    call.arguments.push(if partition.table().is_watched() { keys.channel() } else { Vec::new() });
    call.number(keys.record_prefix_bytes());
    call.number(commit.guards.len());
    for guard in &commit.guards {
        call.guard(keys, guard);
    }
    call.operations(keys, &commit.operations, context.now);

    let mut command = script.call(3 + call.records.len());
    command.arg(keys.index()).arg(keys.sequence()).arg(keys.generation());
    for part in call.records.into_iter().chain(call.arguments) {
        command.arg(part);
    }
    command
}

struct Call {
    records: Vec<Vec<u8>>,
    arguments: Vec<Vec<u8>>,
}

impl Call {
    fn number(&mut self, number: usize) {
        self.arguments.push(number.to_string().into_bytes());
    }

    /// Names a record key by its place among the script's keys.
    fn record(&mut self, keys: &PartitionKeys, sort: &Sort) {
        self.records.push(keys.record(sort));
        self.number(3 + self.records.len());
    }

    fn guard(&mut self, keys: &PartitionKeys, guard: &Guard) {
        let kind: &[u8] = match guard {
            Guard::Absent(_) => b"absent",
            Guard::AtVersion(..) => b"version",
            Guard::CounterWithin { .. } => b"within",
        };
        self.arguments.push(kind.to_vec());
        self.record(keys, guard.sort());
        match guard {
            Guard::Absent(_) => {}
            Guard::AtVersion(_, version) => self.arguments.push(version.0.to_be_bytes().to_vec()),
            Guard::CounterWithin { min, max, .. } => {
                // The script's numbers are exact only this far, and counters never go further.
                self.arguments.push((*min).max(-COUNTER_MAX).to_string().into_bytes());
                self.arguments.push((*max).min(COUNTER_MAX).to_string().into_bytes());
            }
        }
    }

    fn operations(&mut self, keys: &PartitionKeys, operations: &[Operation], now: Timestamp) {
        let ttl = |expires_at| ttl_ms(expires_at, now).map_or(Vec::new(), |ms| ms.to_string().into_bytes());
        let count =
            |kind: fn(&Operation) -> bool| operations.iter().filter(|operation| kind(operation)).count();
        self.number(count(|operation| matches!(operation, Operation::Add { .. })));
        for operation in operations {
            if let Operation::Add { sort, delta, expires_at } = operation {
                self.record(keys, sort);
                let written = [delta.to_string().into_bytes(), counter_tail(*expires_at), ttl(*expires_at)];
                self.arguments.extend(written);
            }
        }
        self.number(count(|operation| matches!(operation, Operation::Put { .. })));
        for operation in operations {
            if let Operation::Put { sort, value, expires_at } = operation {
                self.record(keys, sort);
                self.arguments.extend([bytes_tail(value, *expires_at), ttl(*expires_at)]);
            }
        }
        self.number(count(|operation| matches!(operation, Operation::Delete { .. })));
        for operation in operations {
            if let Operation::Delete { sort } = operation {
                self.record(keys, sort);
            }
        }
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
