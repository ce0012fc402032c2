//! Where names led a moment ago, for unwrapping.
//!
//! Only that somebody may use a file is remembered, never that he may not: a refusal is looked up, and
//! recorded, each time. A grant is judged by the clock when it is used, so its end is kept to the
//! millisecond. See [`Recent`](crate::domain::recent::Recent) for why a revoked grant is over here within a
//! second, and at once where it was revoked.

use std::fmt;
use std::sync::Arc;

use coffer_api::AddressHash;
use coffer_core::{Clock, EmailAddress, FileName, Timestamp, UserId};

use super::resolve::{Access, Found};
use super::{Caller, Wanted};
use crate::domain::recent::{Before, Changes, Recent};

/// Answers that are remembered, at most; each takes about 300 bytes and what its name takes.
const ANSWERS_MAX: u64 = 8192;

/// What was asked: all that an answer depends on, beside the store and the time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    user: UserId,
    address: AddressHash,
    name: FileName,
    owner: Option<EmailAddress>,
}

impl Question {
    pub(super) fn of(caller: &Caller, wanted: Wanted<'_>) -> Self {
        Self {
            user: caller.user,
            address: caller.address,
            name: wanted.name.clone(),
            owner: wanted.owner.cloned(),
        }
    }
}

/// What may be used, by who asked and for what.
pub(super) struct Lately(Recent<Question, Arc<Found>>);

impl Lately {
    pub(super) fn new(changes: &Changes, clock: &Arc<dyn Clock>) -> Self {
        Self(Recent::new(ANSWERS_MAX, changes.clone(), Arc::clone(clock)))
    }

    /// The file, if the caller might use it a moment ago and still may by the clock.
    pub(super) fn get(&self, question: &Question, now: Timestamp) -> Option<Arc<Found>> {
        self.0.get(question).filter(|found| match &found.access {
            Access::Owner => true,
            Access::Granted(grant) => grant.is_live(now),
        })
    }

    pub(super) fn before(&self) -> Before {
        self.0.before()
    }

    pub(super) fn keep(&self, question: Question, before: Before, found: Arc<Found>) {
        self.0.keep(question, before, found);
    }
}

impl fmt::Debug for Lately {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lately")
    }
}
