//! Deleting a key.

use super::key::Key;
use super::plan::Plan;
use super::write::{Before, TRIES_MAX, Verdict};
use super::{Caller, Condition, Deleted, Kv, KvError, Space};

impl Kv {
    /// Deletes a key, if the condition holds. It goes to the trash, with its history.
    pub async fn delete(
        &self,
        caller: &Caller,
        space: Space,
        key: &Key,
        condition: Condition,
    ) -> Result<Deleted, KvError> {
        self.authorize_write(caller, space, key).await?;
        let _turn = self.0.turns.take(space, key).await;
        for tried in 0..TRIES_MAX {
            let (current, earlier) = self.0.repo.get_with_tombstone(space.owner, key.as_str()).await?;
            let current = current.ok_or(KvError::NotFound)?;
            let known = super::known::Known::read(&current)?;
            let (revision, version) = (known.version.0, known.head.version);
            let before = Before { known: Some(known.into()), is_fresh: true };
            let Verdict::Go(Some(known)) = before.judge(condition)? else {
                return Err(KvError::Conflict { revision: Some(revision) });
            };
            let mut plan = Plan::new(self.context(Some(caller)));
            plan.delete(key, &known);
            if let Some((earlier, _)) = earlier {
                // The trash has one life of a key: the last.
                plan.leave_over(key, earlier.trail);
            }
            if let Some(committed) = self.commit(space, plan.make()?).await? {
                return Ok(Deleted { revision: committed.0, version });
            }
            self.pause(tried).await;
        }
        Err(KvError::Contended)
    }
}
