//! Calling the script, and what is to be done around it.

use std::sync::Arc;

use coffer_core::Clock;

use super::super::{Commit, Outcome, Partition, StoreError};
use super::Shared;
use super::commit::{self, Answer, Context};
use super::keys::PartitionKeys;
use super::notify::Notifier;
use crate::redis_link::{LinkError, Script};

/// What callers are told was being done.
pub(super) const DOING: &str = "committing";
/// Registering takes one round, and another if someone just took the partition out.
const REGISTRATIONS_MAX: usize = 4;

/// Why none of a group's commits has an outcome.
pub(super) enum Failure {
    Registering(LinkError),
    Committing(LinkError),
    /// See [`commit::unexpected`].
    Unexpected,
    /// The partition is taken out again and again.
    TakenOut,
}

impl Failure {
    pub(super) fn to_store_error(&self) -> StoreError {
        match self {
            Self::Registering(err) => err.clone().of_read("registering a partition"),
            Self::Committing(err) => err.clone().of_write(DOING),
            Self::Unexpected => commit::unexpected(),
            Self::TakenOut => StoreError::Unavailable {
                doing: DOING,
                source: "the partition is taken out again and again".into(),
            },
        }
    }
}

pub(super) struct Caller {
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) script: Script,
    pub(super) notifier: Notifier,
}

impl Caller {
    pub(super) fn new(shared: Arc<Shared>, clock: Arc<dyn Clock>) -> Self {
        let notifier = Notifier::start(shared.links.clone());
        Self { shared, clock, script: Script::new(include_str!("commit.lua")), notifier }
    }

    /// Commits one after the other, in one call.
    pub(super) async fn call(
        &self,
        partition: &Partition,
        commits: &[Commit],
    ) -> Result<Vec<Result<Outcome, StoreError>>, Failure> {
        let Shared { links, directory, .. } = &*self.shared;
        let keys = PartitionKeys::new(&self.shared.prefix, partition);
        let mut registered = Vec::new();
        for _ in 0..REGISTRATIONS_MAX {
            let context = Context { now: self.clock.now(), registered: &registered };
            let call = commit::call(&self.script, &keys, commits, &context);
            let answer = links.run(&self.script, &call).await.map_err(Failure::Committing)?;
            match commit::answer(answer, commits).ok_or(Failure::Unexpected)? {
                Answer::Done(outcomes) => {
                    self.after(partition, commits.iter().zip(&outcomes));
                    if !registered.is_empty() {
                        self.shared.housekeeping.after_registration(partition);
                    }
                    return Ok(outcomes);
                }
                Answer::Register(generation) => {
                    // An entry too many harms nothing, so whatever happened here, nothing was changed.
                    directory.register(partition, &generation).await.map_err(Failure::Registering)?;
                    registered = generation;
                }
            }
        }
        Err(Failure::TakenOut)
    }

    fn after<'a>(
        &self,
        partition: &Partition,
        outcomes: impl Iterator<Item = (&'a Commit, &'a Result<Outcome, StoreError>)>,
    ) {
        let is_done = |outcome: &Result<Outcome, _>| outcome.as_ref().is_ok_and(Outcome::is_committed);
        let mut done = outcomes.filter(|(_, outcome)| is_done(outcome)).map(|(commit, _)| commit).peekable();
        if done.peek().is_some() && partition.table().is_watched() {
            self.notifier.tell(PartitionKeys::new(&self.shared.prefix, partition).channel());
        }
        self.shared.housekeeping.after_commits(partition, done);
    }
}
