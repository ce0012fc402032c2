//! What happened to keys, in order: page by page, or as it happens.
//!
//! A position is a revision: whoever goes on from it sees every later change once, in the order of the commits,
//! because a change that commits later always has a greater revision. Changes are kept for `kv.watch_retention_s`;
//! a position before that is answered with [`KvError::Gone`], never with a gap.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use coffer_core::{Timestamp, UserId};
use coffer_store::records::{Version, Watch};
use tokio::time::{Instant, timeout};

use super::{Caller, Kv, KvError, Space};
use crate::repo::kv::{ChangeRecord, Op};

/// Changes read at once.
const PAGE: usize = 256;
/// A watcher looks by itself after this time, for wake-ups may be lost; access is checked as often.
const LOOK: Duration = Duration::from_millis(900);
/// How much sooner than the log a position without a change of its own is given up: the clocks of gateways differ.
const SLACK: Duration = Duration::from_secs(30);

/// A place in the changes of a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Everything up to this revision has been seen.
    pub revision: u64,
    /// When that was so, if there may be no change at this very revision.
    pub seen_at: Option<Timestamp>,
}

/// Its text form is the revision, and behind `-` the milliseconds of when that was so.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.revision)?;
        self.seen_at.map_or(Ok(()), |at| write!(f, "-{}", at.as_ms()))
    }
}

impl FromStr for Position {
    type Err = KvError;

    fn from_str(text: &str) -> Result<Self, KvError> {
        let number = |text: &str| text.parse::<u64>().map_err(|_| KvError::Position);
        let (revision, seen_at) = match text.split_once('-') {
            Some((revision, at)) => (number(revision)?, Some(number(at)?)),
            None => (number(text)?, None),
        };
        let moment = |ms: u64| i64::try_from(ms).map(Timestamp::from_ms).map_err(|_| KvError::Position);
        Ok(Self { revision, seen_at: seen_at.map(moment).transpose()? })
    }
}

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

    /// Watches the keys of a space that begin with `prefix`, from behind a position, or from now on.
    pub async fn watch(
        &self,
        caller: &Caller,
        space: Space,
        prefix: &str,
        after: Option<Position>,
    ) -> Result<Watcher, KvError> {
        self.authorize_prefix(caller, space, prefix).await?;
        // First the wake-ups, then the position: nothing happens unnoticed in between.
        let wake = self.0.repo.watch(space.owner).await?;
        let position = match after {
            Some(after) => {
                self.check_position(space, after).await?;
                after
            }
            None => self.position(caller, space, prefix).await?,
        };
        let (kv, caller, prefix) = (self.clone(), *caller, prefix.to_owned());
        Ok(Watcher { kv, caller, space, prefix, position, wake, looked_at: None })
    }

    /// Whether everything after a position is still there.
    async fn check_position(&self, space: Space, after: Position) -> Result<(), KvError> {
        let kept = self.0.settings.watch_retention().saturating_sub(SLACK);
        if after.seen_at.is_some_and(|at| self.0.clock.now() < at.plus(kept)) {
            return Ok(());
        }
        // Later entries expire later, so if this one is there, all of them are.
        if self.0.repo.has_change(space.owner, Version(after.revision)).await? {
            Ok(())
        } else {
            Err(KvError::Gone)
        }
    }

    async fn changes_after(
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

/// Somebody who watches keys.
pub struct Watcher {
    kv: Kv,
    caller: Caller,
    space: Space,
    prefix: String,
    position: Position,
    wake: Box<dyn Watch>,
    looked_at: Option<Instant>,
}

impl Watcher {
    /// Up to where changes have been told.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Waits for changes, at most about a second: then the answer is empty, and its position may be told so that a
    /// watcher who resumes later can go on from it. Access is checked anew each time. Can be dropped at any time;
    /// what was not answered is told the next time.
    pub async fn next(&mut self) -> Result<ChangesPage, KvError> {
        if let Some(looked_at) = self.looked_at {
            let left = LOOK.saturating_sub(looked_at.elapsed());
            let _ = timeout(left, self.wake.changed()).await;
        }
        let started = Instant::now();
        self.kv.authorize_prefix(&self.caller, self.space, &self.prefix).await?;
        let mut page = self.kv.changes_after(self.space, &self.prefix, self.position).await?;
        // Changes of other keys are no reason to answer, but to go on reading.
        while page.events.is_empty() && page.more {
            page = self.kv.changes_after(self.space, &self.prefix, page.position).await?;
        }
        self.position = page.position;
        self.looked_at = (!page.more).then_some(started);
        Ok(page)
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher")
            .field("space", &self.space)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_its_text_form() {
        for (text, revision, at) in [("7", 7, None), ("7-12", 7, Some(Timestamp::from_ms(12)))] {
            let position: Position = text.parse().unwrap();
            assert_eq!(position, Position { revision, seen_at: at });
            assert_eq!(position.to_string(), text);
        }
        for wrong in ["", "-", "7-", "-7", "x", "7-12-3", "99999999999999999999"] {
            assert!(wrong.parse::<Position>().is_err(), "{wrong}");
        }
    }
}
