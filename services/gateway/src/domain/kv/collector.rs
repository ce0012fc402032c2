//! Collects what time leaves: tells that keys have expired, and removes the parts of values that nothing names any
//! more.
//!
//! Every process collects. What is done about one thing is one commit, guarded by the note that says so, so each
//! expiry is told once, however many collect. The owner's next mark is set before the one that is followed goes.

use std::time::Duration;

use coffer_core::{Timestamp, UserId};

use super::plan::Plan;
use super::{Kv, KvError, Space};
use crate::repo::kv::due::Due;
use crate::repo::kv::{Committed, Op, keys};

/// How often marks are looked for.
const LOOK: Duration = Duration::from_millis(500);
/// Marks followed in one go, and things done for one owner.
const MARKS_AT_A_TIME: usize = 100;
const DUE_AT_A_TIME: usize = 500;

impl Kv {
    /// Collects until it is dropped.
    pub async fn collect_for_ever(self) {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Err(error) = self.collect().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "collecting expired keys");
            }
        }
    }

    /// Does what is due now; answers how many things were done here.
    pub async fn collect(&self) -> Result<usize, KvError> {
        let (mut done, mut failed) = (0, 0);
        loop {
            let marks = self.0.marks.repo().marks(self.0.clock.now(), MARKS_AT_A_TIME).await?;
            let found = marks.len();
            for (at, owner) in marks {
                match self.follow(owner, at).await {
                    Ok(settled) => done += settled,
                    // The others are not to wait for it; its mark stays.
                    Err(error) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, %owner, "collecting");
                        failed += 1;
                    }
                }
            }
            if found < MARKS_AT_A_TIME || failed > 0 {
                return Ok(done);
            }
        }
    }

    async fn follow(&self, owner: UserId, mark: Timestamp) -> Result<usize, KvError> {
        let mut done = 0;
        let next = loop {
            for due in self.0.repo.due(owner, self.0.clock.now(), DUE_AT_A_TIME).await? {
                done += usize::from(self.settle(owner, due).await?);
            }
            match self.0.repo.next_due(owner).await? {
                Some(next) if next <= self.0.clock.now() => {}
                next => break next,
            }
        };
        if let Some(next) = next {
            self.0.marks.repo().mark(owner, next).await?;
        }
        self.0.marks.repo().unmark(owner, mark).await?;
        Ok(done)
    }

    /// Does one thing; `false` if another process did, or it is no longer to be done.
    async fn settle(&self, owner: UserId, due: Due) -> Result<bool, KvError> {
        let key: super::Key = due.leftover.key.parse()?;
        // Whether the key is still gone decides what is told; if it came back meanwhile, the second try says so.
        for is_gone in [true, false] {
            let mut plan = Plan::new(self.context(None));
            plan.add(2, |commit| commit.at_version(&due.sort, due.version).delete(&due.sort));
            if let Some(parts) = due.leftover.parts {
                plan.drop_parts(&key, parts);
            }
            let Some((version, delta)) = due.leftover.expired else {
                let outcome = self.0.repo.commit(owner, plan.silent()).await?;
                return Ok(matches!(outcome, Committed::At(_)));
            };
            if is_gone {
                let current = keys::current(key.as_str());
                plan.add(2, |commit| commit.absent(&current).delete(&current));
            }
            plan.tell(&key, (if is_gone { Op::Expire } else { Op::Settle }, version), -delta);
            let outcome = self.0.repo.commit(owner, plan.make()?.commit).await?;
            match outcome {
                Committed::At(_) => {
                    self.0.known.forget(Space { owner }, &key);
                    return Ok(true);
                }
                Committed::Refused(0) => return Ok(false),
                Committed::Refused(_) => {}
            }
        }
        Ok(false)
    }
}
