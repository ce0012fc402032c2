//! Several operations in one call: each by itself, or all of them in one commit.

use std::collections::HashSet;
use std::sync::Arc;

use super::key::Key;
use super::known::Known;
use super::plan::{NewValue, Plan};
use super::value::Packed;
use super::write::{Before, TRIES_MAX, Verdict};
use super::{Caller, Condition, Deleted, Item, Kv, KvError, Meta, OPS_MAX, PutRequest, Space};
use crate::repo::kv::{Head, Op, keys};

/// One operation of a batch.
#[derive(Clone, Debug)]
pub enum BatchOp {
    /// Reads a key. (Not in a batch that is done in one commit.)
    Get(Key),
    /// Stores a key.
    Put(PutRequest),
    /// Deletes a key, if the condition holds.
    Delete(Key, Condition),
}

impl BatchOp {
    fn key(&self) -> &Key {
        match self {
            Self::Get(key) | Self::Delete(key, _) => key,
            Self::Put(request) => &request.key,
        }
    }
}

/// What came of one operation.
#[derive(Debug)]
pub enum BatchAnswer {
    /// The value that was read.
    Got(Item),
    /// What is known of the value that was stored.
    Put(Meta),
    /// The key is deleted.
    Deleted(Deleted),
}

/// A change of a batch that is done in one commit.
enum Prepared<'a> {
    Put(&'a PutRequest, Packed),
    Delete(&'a Key, Condition),
}

/// What is known once the commit has its revision.
enum Pending {
    Put(Head),
    Deleted(u64),
}

impl Kv {
    /// Does operations one after the other (at most [`OPS_MAX`]), each whatever becomes of the others.
    pub async fn batch(
        &self,
        caller: &Caller,
        space: Space,
        ops: &[BatchOp],
    ) -> Result<Vec<Result<BatchAnswer, KvError>>, KvError> {
        if !(1..=OPS_MAX).contains(&ops.len()) {
            return Err(KvError::Batch { ops_max: OPS_MAX });
        }
        let mut answers = Vec::with_capacity(ops.len());
        for op in ops {
            answers.push(match op {
                BatchOp::Get(key) => self.get(caller, space, key, None).await.map(BatchAnswer::Got),
                BatchOp::Put(request) => self.put(caller, space, request).await.map(BatchAnswer::Put),
                BatchOp::Delete(key, condition) => {
                    self.delete(caller, space, key, *condition).await.map(BatchAnswer::Deleted)
                }
            });
        }
        Ok(answers)
    }

    /// Does all changes in one commit, or none: the first failure is the answer. Every key at most once. All of them
    /// have one revision.
    pub async fn batch_at_once(
        &self,
        caller: &Caller,
        space: Space,
        ops: &[BatchOp],
    ) -> Result<Vec<BatchAnswer>, KvError> {
        let prepared = self.prepare(caller, space, ops).await?;
        for tried in 0..TRIES_MAX {
            let known = self.read_each(space, ops).await?;
            let mut plan = Plan::new(self.context(Some(caller)));
            let mut pending = Vec::with_capacity(prepared.len());
            for (change, known) in prepared.iter().zip(&known) {
                pending.push(plan_one(&mut plan, change, known.clone())?);
            }
            self.ensure_room(space, more_keys(&prepared, &known))?;
            if let Some(version) = self.commit(space, plan.make()?).await? {
                let answer = |pending| match pending {
                    Pending::Put(head) => BatchAnswer::Put(Meta::of(&head, version.0)),
                    Pending::Deleted(last) => {
                        BatchAnswer::Deleted(Deleted { revision: version.0, version: last })
                    }
                };
                return Ok(pending.into_iter().map(answer).collect());
            }
            self.pause(tried).await;
        }
        Err(KvError::Contended)
    }

    async fn prepare<'a>(
        &self,
        caller: &Caller,
        space: Space,
        ops: &'a [BatchOp],
    ) -> Result<Vec<Prepared<'a>>, KvError> {
        let mut seen = HashSet::with_capacity(ops.len());
        if !(1..=OPS_MAX).contains(&ops.len()) || !ops.iter().all(|op| seen.insert(op.key())) {
            return Err(KvError::Batch { ops_max: OPS_MAX });
        }
        let (mut prepared, mut bytes) = (Vec::with_capacity(ops.len()), 0);
        for op in ops {
            self.authorize_write(caller, space, op.key()).await?;
            prepared.push(match op {
                BatchOp::Get(_) => return Err(KvError::Batch { ops_max: OPS_MAX }),
                BatchOp::Delete(key, condition) => Prepared::Delete(key, *condition),
                BatchOp::Put(request) => {
                    self.admit(&request.value)?;
                    self.check_expiry(request.expires_at)?;
                    bytes += request.value.as_bytes().len();
                    Prepared::Put(
                        request,
                        self.pack(&request.value, request.encrypt, request.compress).await?,
                    )
                }
            });
        }
        let bytes_max = self.0.settings.value_bytes_max;
        if bytes > bytes_max { Err(KvError::ValueTooLarge { bytes_max }) } else { Ok(prepared) }
    }

    async fn read_each(&self, space: Space, ops: &[BatchOp]) -> Result<Vec<Option<Arc<Known>>>, KvError> {
        let sorts: Vec<_> = ops.iter().map(|op| keys::current(op.key().as_str())).collect();
        let found = self.0.repo.get_many(space.owner, &sorts).await?;
        let known = found.into_iter().map(|stored| match stored {
            Some(stored) => Ok(Some(Arc::new(Known::read(&stored)?))),
            None => Ok(None),
        });
        known.collect()
    }
}

/// How many more keys there are afterwards.
fn more_keys(changes: &[Prepared<'_>], known: &[Option<Arc<Known>>]) -> u64 {
    let (mut added, mut removed) = (0_u64, 0);
    for (change, known) in changes.iter().zip(known) {
        match change {
            Prepared::Put(..) => added += u64::from(known.is_none()),
            Prepared::Delete(..) => removed += 1,
        }
    }
    added.saturating_sub(removed)
}

fn plan_one(
    plan: &mut Plan<'_>,
    change: &Prepared<'_>,
    known: Option<Arc<Known>>,
) -> Result<Pending, KvError> {
    let before = Before { known, is_fresh: true };
    let judged = |condition| match before.judge(condition)? {
        Verdict::Go(known) => Ok(known),
        Verdict::Read => Err(KvError::Conflict { revision: None }),
    };
    match change {
        Prepared::Put(request, packed) => {
            let known = judged(request.condition)?;
            let value = NewValue { packed, expires_at: request.expires_at, op: Op::Put, revives: None };
            plan.put(&request.key, known.as_deref(), &value).map(Pending::Put)
        }
        Prepared::Delete(key, condition) => {
            let known = judged(*condition)?.ok_or(KvError::NotFound)?;
            plan.delete(key, &known);
            Ok(Pending::Deleted(known.head.version))
        }
    }
}
