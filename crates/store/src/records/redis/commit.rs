//! Commits on one partition as one call of the script `commit.lua`, and its answer.

use bytes::{BufMut as _, BytesMut};
use coffer_core::Timestamp;
use redis::{Cmd, Value};

use super::super::limits::COUNTER_RANGE;
use super::super::{
    COUNTER_MAX, Commit, Committed, Guard, Operation, Outcome, Sort, StoreError, Version, log, past,
};
use super::encoding::{Kind, head, ttl_ms};
use super::keys::PartitionKeys;
use crate::redis_link::Script;

/// What the script answered.
pub(super) enum Answer {
    /// What came of each commit.
    Done(Vec<Result<Outcome, StoreError>>),
    /// Nothing was done: the partition is empty, and must first be registered under this generation.
    Register(Vec<u8>),
}

/// What a call says besides its commits.
pub(super) struct Context<'a> {
    pub(super) now: Timestamp,
    /// The generation that the partition was just registered under.
    pub(super) registered: &'a [u8],
}

/// The script's call for `commits`; `commit.lua` says what it takes.
pub(super) fn call(script: &Script, keys: &PartitionKeys, commits: &[Commit], context: &Context<'_>) -> Cmd {
    let mut head = BytesMut::with_capacity(12);
    head.put_i64(context.now.as_ms());
    for number in [keys.record_prefix_bytes(), commits.len()] {
        head.put_u16(small(number));
    }
    let mut records = Vec::with_capacity(commits.len() * 4);
    let plans: Vec<_> = commits.iter().map(|commit| plan(keys, &mut records, commit, context.now)).collect();

    let mut command = script.call(FIXED_KEYS + records.len());
    command.arg(keys.index()).arg(keys.sequence()).arg(keys.generation()).arg(records);
    command.arg(&head[..]).arg(context.registered);
    for (plan, commit) in plans.into_iter().zip(commits) {
        command.arg(plan);
        for is_append in [false, true] {
            for operation in &commit.operations {
                match operation {
                    Operation::Put { value, .. } if !is_append => command.arg(&value[..]),
                    Operation::Append { value, .. } if is_append => command.arg(&value[..]),
                    _ => &mut command,
                };
            }
        }
    }
    command
}

/// Keys that precede those of the records.
const FIXED_KEYS: usize = 3;

fn small(number: usize) -> u16 {
    u16::try_from(number).expect("a call has few items, and a tag at most 2 KiB")
}

/// What a commit does, packed, but for the values that it writes; the keys that it names are added to `records`.
fn plan(keys: &PartitionKeys, records: &mut Vec<Vec<u8>>, commit: &Commit, now: Timestamp) -> Vec<u8> {
    let guarded = commit.guards.iter().map(Guard::sort).zip(FIXED_KEYS + records.len()..).collect();
    let mut plan = Plan { keys, records, guarded, packed: Vec::with_capacity(160), now };
    plan.packed.resize(2 * COUNTS, 0);
    plan.guards(&commit.guards);
    for (at, kind) in [is_add, is_retire, is_put, is_append, is_delete].into_iter().enumerate() {
        let mut count = 0;
        for operation in commit.operations.iter().filter(|operation| kind(operation)) {
            count += 1;
            plan.operation(operation);
        }
        plan.count(at + 1, count);
    }
    plan.count(0, commit.guards.len());
    plan.packed
}

/// Numbers that begin a plan: how many guards, adds, retires, puts, appends and deletes there are. In this order the
/// script takes them.
const COUNTS: usize = 6;

fn is_add(operation: &Operation) -> bool {
    matches!(operation, Operation::Add { .. })
}

fn is_retire(operation: &Operation) -> bool {
    matches!(operation, Operation::Retire { .. })
}

fn is_put(operation: &Operation) -> bool {
    matches!(operation, Operation::Put { .. })
}

fn is_append(operation: &Operation) -> bool {
    matches!(operation, Operation::Append { .. })
}

fn is_delete(operation: &Operation) -> bool {
    matches!(operation, Operation::Delete { .. })
}

struct Plan<'a> {
    keys: &'a PartitionKeys,
    records: &'a mut Vec<Vec<u8>>,
    /// The keys that guards look at, most of which are written too, and their places.
    guarded: Vec<(&'a Sort, usize)>,
    packed: Vec<u8>,
    now: Timestamp,
}

impl Plan<'_> {
    fn count(&mut self, at: usize, count: usize) {
        self.packed[2 * at..2 * (at + 1)].copy_from_slice(&small(count).to_be_bytes());
    }

    /// Adds a key; the script counts them from 1.
    fn key(&mut self, key: Vec<u8>) {
        self.records.push(key);
        self.packed.put_u16(small(FIXED_KEYS + self.records.len()));
    }

    fn record(&mut self, sort: &Sort) {
        match self.guarded.iter().find(|(guarded, _)| *guarded == sort) {
            Some((_, place)) => self.packed.put_u16(small(place + 1)),
            None => self.key(self.keys.record(sort)),
        }
    }

    /// What a record begins with behind its version, and how long Redis keeps it.
    fn head(&mut self, kind: Kind, expires_at: Option<Timestamp>) {
        self.packed.put_slice(&head(kind, expires_at));
        let ttl = ttl_ms(expires_at, self.now).map_or(String::new(), |ms| ms.to_string());
        self.packed.put_u8(u8::try_from(ttl.len()).expect("a number has few digits"));
        self.packed.put_slice(ttl.as_bytes());
    }

    fn guards(&mut self, guards: &[Guard]) {
        for guard in guards {
            self.key(self.keys.record(guard.sort()));
            let (kind, first, second) = match guard {
                Guard::Absent(_) => (b'a', [0; 8], [0; 8]),
                Guard::AtVersion(_, version) => (b'v', version.0.to_be_bytes(), [0; 8]),
                Guard::CounterWithin { min, max, .. } => {
                    // The script's numbers are exact only this far, and counters never go further.
                    let (min, max) = ((*min).max(-COUNTER_MAX), (*max).min(COUNTER_MAX));
                    (b'c', min.to_be_bytes(), max.to_be_bytes())
                }
            };
            self.packed.put_u8(kind);
            self.packed.put_slice(&first);
            self.packed.put_slice(&second);
        }
    }

    fn operation(&mut self, operation: &Operation) {
        match operation {
            Operation::Add { sort, delta, expires_at } => {
                self.record(sort);
                self.packed.put_i64(*delta);
                self.head(Kind::Counter, *expires_at);
            }
            Operation::Retire { sort, expires_at } => {
                self.record(sort);
                // The script completes this key, and that of an append, with the version.
                self.key(self.keys.record(&Sort::from_bytes(past::head(sort).freeze())));
                self.head(Kind::Bytes, *expires_at);
            }
            Operation::Put { sort, expires_at, .. } => {
                self.record(sort);
                self.head(Kind::Bytes, *expires_at);
            }
            Operation::Append { prefix, expires_at, .. } => {
                self.key(self.keys.record(&Sort::from_bytes(log::head(prefix).freeze())));
                self.head(Kind::Bytes, *expires_at);
            }
            Operation::Delete { sort } => self.record(sort),
        }
    }
}

/// Reads the script's answer to a call for `commits`.
pub(super) fn answer(value: Value, commits: &[Commit]) -> Option<Answer> {
    let Value::Array(parts) = value else { return None };
    let mut parts = parts.into_iter();
    match parts.next()? {
        Value::Int(1) => {}
        Value::Int(2) => {
            let Value::BulkString(generation) = parts.next()? else { return None };
            return Some(Answer::Register(generation));
        }
        _ => return None,
    }
    let mut numbers = parts.map_while(|part| if let Value::Int(number) = part { Some(number) } else { None });
    let outcome = |commit: &Commit| {
        Some(match numbers.next()? {
            1 => {
                let version = Version(numbers.next()?.cast_unsigned());
                let adds = commit.operations.iter().filter(|operation| is_add(operation));
                let counters = adds.map(|_| numbers.next()).collect::<Option<_>>()?;
                Ok(Outcome::Committed(Committed { version, counters }))
            }
            0 => Ok(Outcome::Refused { guard: usize::try_from(numbers.next()?).ok()? }),
            3 => Err(StoreError::Limit(COUNTER_RANGE)),
            _ => return None,
        })
    };
    commits.iter().map(outcome).collect::<Option<_>>().map(Answer::Done)
}

/// The script that answers is the one that we sent by its hash, so this does not happen; if it does, the commits
/// may have.
pub(super) fn unexpected() -> StoreError {
    StoreError::OutcomeUnknown { doing: "committing", source: "an answer of another form".into() }
}
