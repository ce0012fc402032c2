//! What happened to keys, in order: page by page, or as it happens.
//!
//! A position is a revision: whoever goes on from it sees every later change once, in the order of the commits,
//! because a change that commits later always has a greater revision. Changes are kept for `kv.watch_retention_s`;
//! a position before that is answered with [`KvError::Gone`], never with a gap.

use std::time::Duration;

use coffer_core::{Timestamp, UserId};
use coffer_store::records::Version;

use super::position::Position;
use super::{Caller, Kv, KvError, Space};
use crate::repo::kv::{ChangeRecord, Op};

/// Changes read at once.
const PAGE: usize = 256;
/// How much sooner than the log a position without a change of its own is given up: the clocks of gateways differ.
const SLACK: Duration = Duration::from_secs(30);

/// Something that happened to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The revision of the commit. Changes of one batch have it in common.
    pub revision: u64,
    /// The key.
    pub key: String,
    /// What happened.
    pub op: Op,
    /// The version that the key has now, or had last.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// Who did it; nobody if time did.
    pub by: Option<UserId>,
}

/// One page of changes.
#[derive(Clone, Debug)]
pub struct ChangesPage {
    /// What happened, in order. All changes of a revision are in one page.
    pub events: Vec<Event>,
    /// Where to go on: also if there was nothing for the prefix.
    pub position: Position,
    /// Whether there is more already.
    pub more: bool,
}

impl Kv {
    /// The present position in the changes of a space: what happens from now on comes after it.
    pub async fn position(&self, caller: &Caller, space: Space, prefix: &str) -> Result<Position, KvError> {
        self.authorize_prefix(caller, space, prefix).await?;
        let now = self.0.clock.now();
        let revision = self.0.repo.present(space.owner, now).await?.0;
        Ok(Position { revision, seen_at: Some(now) })
    }

    /// What happened after a position to keys that begin with `prefix`.
    pub async fn changes(
        &self,
        caller: &Caller,
        space: Space,
        prefix: &str,
        after: Position,
    ) -> Result<ChangesPage, KvError> {
        self.authorize_prefix(caller, space, prefix).await?;
        self.check_position(space, after).await?;
        self.changes_after(space, prefix, after).await
    }

    /// Whether everything after a position is still there. One that nobody can have been told yet is none: whoever goes on
    /// from there would miss everything that comes before it.
    pub(super) async fn check_position(&self, space: Space, after: Position) -> Result<(), KvError> {
        let (now, revision) = (self.0.clock.now(), Version(after.revision));
        let kept = self.0.settings.watch_retention().saturating_sub(SLACK);
        if after.seen_at.is_some_and(|at| now.plus(SLACK) < at) {
            return Err(KvError::Position);
        }
        if after.seen_at.is_some_and(|at| now < at.plus(kept)) {
            let repo = &self.0.repo;
            // Nothing tells of it if nobody asked lately: then the present itself does.
            let has_been = repo.has_reached(space.owner, revision).await?
                || revision <= repo.present(space.owner, now).await?;
            return if has_been { Ok(()) } else { Err(KvError::Gone) };
        }
        // Later entries expire later, so if this one is there, all of them are.
        if self.0.repo.has_change(space.owner, revision).await? { Ok(()) } else { Err(KvError::Gone) }
    }

    pub(super) async fn changes_after(
        &self,
        space: Space,
        prefix: &str,
        after: Position,
    ) -> Result<ChangesPage, KvError> {
        let looked_at = self.0.clock.now();
        let page = self.0.repo.changes(space.owner, Some(Version(after.revision)), PAGE).await?;
        // A position at which there is a change needs no time; one that was looked at without finding any was so then.
        let position = match page.items.last() {
            Some(last) => Position { revision: last.version.0, seen_at: None },
            None => Position { revision: after.revision, seen_at: Some(looked_at) },
        };
        let mut events = Vec::new();
        for entry in page.items {
            let ChangeRecord { at, by, changes } = entry.value;
            let seen = changes
                .into_iter()
                .filter(|change| change.op != Op::Settle && change.key.starts_with(prefix));
            events.extend(seen.map(|change| Event {
                revision: entry.version.0,
                key: change.key,
                op: change.op,
                version: change.version,
                at,
                by,
            }));
        }
        Ok(ChangesPage { events, position, more: page.more })
    }
}
