//! Batches, against the model.

use std::collections::BTreeSet;

use super::super::super::{BatchAnswer, BatchOp, Condition, Kv, KvError, PutRequest};
use super::super::bed::{ann, anns, blob, key, request};
use super::plain::{Model, Outcome};
use super::steps::{BatchStep, name, value};

/// The operations with their conditions, as they are before the first of them is done.
fn prepared(model: &Model, ops: &[BatchStep]) -> Vec<(BatchOp, Condition)> {
    let prepare = |op: &BatchStep| match *op {
        BatchStep::Get(at) => (BatchOp::Get(key(&name(at))), Condition::None),
        BatchStep::Put(at, number, wanted) => {
            let condition = model.condition(at, wanted);
            let put = PutRequest { value: blob(value(number)), condition, ..request(&name(at), "0") };
            (BatchOp::Put(put), condition)
        }
        BatchStep::Delete(at, wanted) => {
            let condition = model.condition(at, wanted);
            (BatchOp::Delete(key(&name(at)), condition), condition)
        }
    };
    ops.iter().map(prepare).collect()
}

fn check(expected: &Outcome, failed: Option<&KvError>) {
    let is_so = match expected {
        Outcome::Done(_) => failed.is_none(),
        Outcome::NotFound => matches!(failed, Some(KvError::NotFound)),
        Outcome::Conflict => matches!(failed, Some(KvError::Conflict { .. })),
        Outcome::Denied => matches!(failed, Some(KvError::Denied)),
    };
    assert!(is_so, "{failed:?} instead of {expected:?}");
}

/// One after the other, each whatever becomes of the others.
pub(super) async fn each(kv: &Kv, model: &mut Model, ops: &[BatchStep]) {
    let (done, conditions): (Vec<_>, Vec<_>) = prepared(model, ops).into_iter().unzip();
    let answers = kv.batch(&ann(), anns(), &done).await.unwrap();
    assert_eq!(answers.len(), ops.len());
    for ((op, condition), answer) in ops.iter().zip(conditions).zip(answers) {
        let expected = match *op {
            BatchStep::Get(at) => model.value_of(at).map_or(Outcome::NotFound, |_| Outcome::Done(at)),
            BatchStep::Put(at, number, _) => model.put(at, (number, None), (false, condition)),
            BatchStep::Delete(at, _) => model.delete(at, condition),
        };
        check(&expected, answer.as_ref().err());
        match answer {
            Ok(BatchAnswer::Got(item)) => {
                assert_eq!(*item.value.as_bytes(), value(model.value_of(op.key()).unwrap()));
            }
            Ok(BatchAnswer::Put(meta)) => model.set_revision(op.key(), meta.revision),
            Ok(BatchAnswer::Deleted(_)) | Err(_) => {}
        }
    }
}

/// All of them in one commit, or none.
pub(super) async fn at_once(kv: &Kv, model: &mut Model, ops: &[BatchStep]) {
    let keys: BTreeSet<_> = ops.iter().map(|op| op.key()).collect();
    let (done, conditions): (Vec<_>, Vec<_>) = prepared(model, ops).into_iter().unzip();
    let answers = kv.batch_at_once(&ann(), anns(), &done).await;
    if keys.len() < ops.len() || ops.iter().any(|op| matches!(op, BatchStep::Get(_))) {
        return assert!(matches!(answers, Err(KvError::Batch { .. })), "{answers:?}");
    }
    let planned: Vec<_> = ops.iter().zip(conditions).collect();
    let fails = planned.iter().find_map(|(op, condition)| match op {
        _ if !model.holds(op.key(), *condition) => Some(Outcome::Conflict),
        BatchStep::Delete(at, _) if model.value_of(*at).is_none() => Some(Outcome::NotFound),
        _ => None,
    });
    if let Some(outcome) = fails {
        return check(&outcome, answers.as_ref().err());
    }
    let answers = answers.unwrap();
    for ((op, condition), answer) in planned.into_iter().zip(answers) {
        match (*op, answer) {
            (BatchStep::Put(at, number, _), BatchAnswer::Put(meta)) => {
                model.put(at, (number, None), (false, condition));
                model.set_revision(at, meta.revision);
            }
            (BatchStep::Delete(at, _), BatchAnswer::Deleted(_)) => drop(model.delete(at, condition)),
            (op, answer) => panic!("{answer:?} to {op:?}"),
        }
    }
}
