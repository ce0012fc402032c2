//! Random commits, against the plainest model of the contract.

use std::collections::BTreeMap;
use std::time::Duration;

use coffer_core::{Clock as _, Timestamp};
use coffer_store::records::{
    Commit, GET_MANY_MAX, Guard, Operation, Outcome, Partition, Sort, SortRange, Value, Version,
};
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::bed::{Bed, part, raw};

#[derive(Clone, Debug)]
enum Step {
    Commit(u8, Vec<Condition>, Vec<Change>),
    Wait(u16),
}

#[derive(Clone, Debug)]
enum Condition {
    Absent(u8),
    /// The version that the model knows, plus this.
    AtVersion(u8, bool),
    Within(u8, i64, i64),
}

#[derive(Clone, Debug)]
enum Change {
    Put(u8, Vec<u8>, Option<u16>),
    Delete(u8),
    /// And whether something new is put in its place.
    Retire(u8, Option<u16>, bool),
    Add(u8, i64, Option<u16>),
    /// To the one log.
    Append(Vec<u8>, Option<u16>),
}

const PARTITIONS: u8 = 3;
const SORTS: u8 = 6;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let sort = || 0..SORTS;
    let ttl = || proptest::option::of(1..2000_u16);
    let condition = prop_oneof![
        sort().prop_map(Condition::Absent),
        (sort(), any::<bool>()).prop_map(|(sort, right)| Condition::AtVersion(sort, right)),
        (sort(), -9..9_i64, -9..9_i64).prop_map(|(sort, min, max)| Condition::Within(sort, min, max)),
    ];
    let change = prop_oneof![
        3 => (sort(), proptest::collection::vec(any::<u8>(), 0..9), ttl()).prop_map(|(s, v, t)| Change::Put(s, v, t)),
        2 => sort().prop_map(Change::Delete),
        2 => (sort(), ttl(), any::<bool>()).prop_map(|(sort, ttl, anew)| Change::Retire(sort, ttl, anew)),
        3 => (sort(), -5..5_i64, ttl()).prop_map(|(sort, delta, ttl)| Change::Add(sort, delta, ttl)),
        2 => (proptest::collection::vec(any::<u8>(), 0..9), ttl()).prop_map(|(v, t)| Change::Append(v, t)),
    ];
    let conditions = proptest::collection::vec(condition, 0..2);
    let changes = proptest::collection::vec(change, 0..4);
    let commit = (0..PARTITIONS, conditions, changes).prop_map(|(p, g, o)| Step::Commit(p, g, o));
    proptest::collection::vec(prop_oneof![4 => commit, 1 => (1..1500_u16).prop_map(Step::Wait)], 1..60)
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    value: Value,
    version: Version,
    expires_at: Option<Timestamp>,
}

type Model = BTreeMap<(Partition, Sort), Entry>;

fn partition(number: u8) -> Partition {
    part([b'{', number, b'}'])
}

fn sort(number: u8) -> Sort {
    raw([number, 255 - number])
}

fn log() -> Sort {
    Sort::of("log").build()
}

/// What back ends put together must still be done one after the other, each by its own guards.
pub(super) async fn commits_at_the_same_time_do_what_they_do_in_some_order(bed: Bed) {
    let mut runner =
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() });
    let partition = partition(0);
    let mut model = Model::new();
    for round in 0..40 {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        let commits = steps.iter().filter_map(|step| match step {
            Step::Commit(_, conditions, changes) => {
                let commit = build(&model, &partition, (conditions, changes), bed.clock.now());
                let has_log = commit.operations.iter().any(|operation| *operation.sort() == log());
                // Each writes something, so that its version says where it stands in the order.
                Some(if has_log { commit } else { commit.append(&log(), "x", None) })
            }
            Step::Wait(_) => None,
        });
        let commits: Vec<_> = commits.collect();
        let outcomes = join_all(commits.iter().map(|commit| bed.records.commit(&partition, commit.clone())));
        let outcomes = outcomes.await.into_iter().map(Result::unwrap);
        let (mut done, mut refused) = (Vec::new(), Vec::new());
        for (commit, outcome) in commits.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Committed(committed) => done.push((committed.version, commit, committed)),
                Outcome::Refused { guard } => refused.push((commit, guard)),
            }
        }
        done.sort_by_key(|(version, ..)| *version);
        assert!(done.is_sorted_by(|(one, ..), (other, ..)| one < other), "no version is given twice");
        refused.retain(|(commit, guard)| refusal(&model, &partition, commit) != Some(*guard));
        for (_, commit, committed) in done {
            apply(&mut model, &partition, commit, Outcome::Committed(committed));
            refused.retain(|(commit, guard)| refusal(&model, &partition, commit) != Some(*guard));
        }
        assert_eq!(refused, [], "refused at no place in the order");
        assert_eq!(stored(&bed).await, model, "in round {round}");
        bed.clock.advance(Duration::from_millis(300));
        let now = bed.clock.now();
        model.retain(|_, entry| entry.expires_at.is_none_or(|expires_at| now < expires_at));
    }
}

pub(super) async fn random_commits_do_what_the_model_does(bed: Bed) {
    let mut runner =
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() });
    for _ in 0..40 {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        run(&bed, &steps).await;
    }
}

async fn run(bed: &Bed, steps: &[Step]) {
    for number in 0..PARTITIONS {
        let all = bed.records.scan_keys(&partition(number), &SortRange::all(), 500).await.unwrap();
        let clean = all.items.iter().fold(Commit::new(), Commit::delete);
        bed.commit(&partition(number), clean).await;
    }
    let mut model = Model::new();
    for step in steps {
        match step {
            Step::Wait(ms) => bed.clock.advance(Duration::from_millis(u64::from(*ms))),
            Step::Commit(number, conditions, changes) => {
                let partition = partition(*number);
                let commit = build(&model, &partition, (conditions, changes), bed.clock.now());
                let outcome = bed.records.commit(&partition, commit.clone()).await.unwrap();
                apply(&mut model, &partition, commit, outcome);
            }
        }
        let now = bed.clock.now();
        model.retain(|_, entry| entry.expires_at.is_none_or(|expires_at| now < expires_at));
        assert_eq!(stored(bed).await, model, "after {step:?} of {steps:?}");
    }
}

fn build(
    model: &Model,
    at: &Partition,
    (conditions, changes): (&[Condition], &[Change]),
    now: Timestamp,
) -> Commit {
    let after = |ttl: &Option<u16>| ttl.map(|ms| now.plus(Duration::from_millis(u64::from(ms))));
    let mut commit = Commit::new();
    for condition in conditions {
        commit = commit.guard(match condition {
            Condition::Absent(number) => Guard::Absent(sort(*number)),
            Condition::AtVersion(number, right) => {
                let known = model.get(&(at.clone(), sort(*number))).map_or(0, |entry| entry.version.0);
                Guard::AtVersion(sort(*number), Version(known + u64::from(!right)))
            }
            Condition::Within(number, min, max) => {
                Guard::CounterWithin { sort: sort(*number), min: *min, max: *max }
            }
        });
    }
    for change in changes {
        let target = match change {
            Change::Put(number, ..)
            | Change::Retire(number, ..)
            | Change::Delete(number)
            | Change::Add(number, ..) => sort(*number),
            Change::Append(..) => log(),
        };
        if commit.operations.iter().any(|earlier| *earlier.sort() == target) {
            continue;
        }
        commit = match change {
            Change::Put(number, value, ttl) => commit.put(&sort(*number), value.clone(), after(ttl)),
            Change::Append(value, ttl) => commit.append(&log(), value.clone(), after(ttl)),
            Change::Delete(number) => commit.delete(&sort(*number)),
            // It is retired first, wherever that stands in the commit.
            Change::Retire(number, ttl, true) => {
                commit.put(&sort(*number), "anew", None).retire(&sort(*number), after(ttl))
            }
            Change::Retire(number, ttl, false) => commit.retire(&sort(*number), after(ttl)),
            Change::Add(number, delta, ttl) => commit.add(&sort(*number), *delta, after(ttl)),
        };
    }
    commit
}

/// The first guard that the model refuses.
fn refusal(model: &Model, at: &Partition, commit: &Commit) -> Option<usize> {
    let entry = |sort: &Sort| model.get(&(at.clone(), sort.clone()));
    let holds = |guard: &Guard| match (guard, entry(guard.sort())) {
        (Guard::Absent(_), found) => found.is_none(),
        (Guard::AtVersion(_, version), found) => found.is_some_and(|entry| entry.version == *version),
        (Guard::CounterWithin { min, max, .. }, None) => (*min..=*max).contains(&0),
        (Guard::CounterWithin { min, max, .. }, Some(entry)) => {
            matches!(entry.value, Value::Counter(number) if (*min..=*max).contains(&number))
        }
    };
    commit.guards.iter().position(|guard| !holds(guard))
}

fn apply(model: &mut Model, at: &Partition, commit: Commit, outcome: Outcome) {
    let committed = match (outcome, refusal(model, at, &commit)) {
        (Outcome::Committed(committed), None) => committed,
        (Outcome::Refused { guard }, Some(expected)) if guard == expected => return,
        (outcome, expected) => panic!("{outcome:?}, but the model refuses {expected:?}"),
    };
    let mut counters = committed.counters.into_iter();
    for operation in &commit.operations {
        if let Operation::Retire { sort, expires_at } = operation
            && let Some(retired) = model.remove(&(at.clone(), sort.clone()))
        {
            let past = Sort::past(sort, retired.version);
            model.insert((at.clone(), past), Entry { expires_at: *expires_at, ..retired });
        }
    }
    for operation in commit.operations {
        let mut place = (at.clone(), operation.sort().clone());
        let (value, expires_at) = match operation {
            Operation::Retire { .. } => continue,
            Operation::Delete { .. } => {
                model.remove(&place);
                continue;
            }
            Operation::Put { value, expires_at, .. } => (Value::Bytes(value), expires_at),
            Operation::Append { prefix, value, expires_at } => {
                place.1 = Sort::log_entry(&prefix, committed.version);
                (Value::Bytes(value), expires_at)
            }
            Operation::Add { delta, expires_at, .. } => {
                let before = match model.get(&place).map(|entry| &entry.value) {
                    Some(Value::Counter(number)) => *number,
                    _ => 0,
                };
                assert_eq!(counters.next(), Some(before + delta));
                (Value::Counter(before + delta), expires_at)
            }
        };
        model.insert(place, Entry { value, version: committed.version, expires_at });
    }
}

async fn stored(bed: &Bed) -> Model {
    let mut found = Model::new();
    for number in 0..PARTITIONS {
        let partition = partition(number);
        let page = bed.records.scan(&partition, &SortRange::all(), 5000).await.unwrap();
        // In the order of a scan: the keys that are always asked for stand around those of the log.
        let mut each: Vec<_> = (0..SORTS).map(sort).collect();
        each.extend(page.items.iter().map(|record| record.sort.clone()));
        each.sort();
        each.dedup();
        let mut got = Vec::new();
        for each in each.chunks(GET_MANY_MAX) {
            got.extend(bed.records.get_many(&partition, each).await.unwrap().into_iter().flatten());
        }
        assert_eq!(got, page.items, "get and scan agree");
        for record in page.items {
            let entry = Entry { value: record.value, version: record.version, expires_at: record.expires_at };
            found.insert((partition.clone(), record.sort), entry);
        }
    }
    found
}
