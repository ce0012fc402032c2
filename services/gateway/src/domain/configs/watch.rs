//! Watching configurations: what happens, as it happens.
//!
//! The log of changes is sealed like everything in a name space, so telling of them needs the user key all the time. A
//! watcher holds it in its derived form, no longer than the cache would; and it looks at the owner record once a
//! second and before it tells anything, so that a user key that was given up is told nothing from then on.
//!
//! A user key that opens nothing yet can be watched as well: it is looked for about once a second until it does.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use coffer_store::records::{SealedCommit, Version, Watch};
use tokio::time::{Instant, sleep, timeout};

use super::changes::{ChangesPage, WatchFilter};
use super::position::{Position, SpaceTag};
use super::space::{OpenSpace, TRIES_MAX};
use super::{ConfigsError, Holder};
use crate::domain::kv;
use crate::repo::configs::{Committed, keys};

/// A watcher looks by itself after this time, for wake-ups may be lost; access is checked as often.
const LOOK: Duration = Duration::from_millis(900);
/// How much sooner than the log a position without a change of its own is given up: the clocks of gateways differ.
const SLACK: Duration = Duration::from_secs(30);
/// How long what is written to learn the present revision is kept.
const PROBE_TTL: Duration = Duration::from_mins(1);

/// The name space that is watched.
struct Watching {
    space: Arc<OpenSpace>,
    tag: SpaceTag,
    wake: Box<dyn Watch>,
}

/// Somebody who watches configurations.
pub struct Watcher {
    holder: Holder,
    filter: WatchFilter,
    of: Option<Watching>,
    place: kv::Position,
    looked_at: Option<Instant>,
}

impl Holder {
    /// Watches configurations, from behind a position, or from now on.
    pub async fn watch(&self, filter: WatchFilter, after: Option<Position>) -> Result<Watcher, ConfigsError> {
        for tried in 0..TRIES_MAX {
            // What is remembered may be over; a position is judged by what is so.
            let of = match self.space().await? {
                None => None,
                Some(space) if self.is_ours(&space, self.configs().0.repo.owner(&space.keys).await?) => {
                    Some(self.watching(space).await?)
                }
                Some(_) => {
                    self.configs().pause(tried).await;
                    continue;
                }
            };
            let place = match after {
                Some(after) => Some(self.resume(of.as_ref(), after).await?),
                None => self.present(of.as_ref()).await?,
            };
            if let Some(place) = place {
                return Ok(Watcher { holder: self.clone(), filter, of, place, looked_at: None });
            }
            self.configs().pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    /// First the wake-ups, then the position: nothing happens unnoticed in between.
    async fn watching(&self, space: Arc<OpenSpace>) -> Result<Watching, ConfigsError> {
        let wake = self.configs().0.repo.watch(&space.keys).await?;
        let tag = SpaceTag::of(&space.keys, &self.configs().0.deployment.pepper);
        Ok(Watching { space, tag, wake })
    }

    /// The present place: what happens from now on comes after it. Nothing if the name space is no longer ours.
    async fn present(&self, of: Option<&Watching>) -> Result<Option<kv::Position>, ConfigsError> {
        let inner = &self.configs().0;
        let now = inner.clock.now();
        let Some(Watching { space, .. }) = of else {
            return Ok(Some(kv::Position { revision: 0, seen_at: Some(now) }));
        };
        let probe = SealedCommit::new().at_version(&keys::owner(), space.owner).put_as(
            &keys::probe(),
            &(),
            Some(now.plus(PROBE_TTL)),
        );
        match inner.repo.commit(&space.keys, probe).await? {
            Committed::At(version, _) => Ok(Some(kv::Position { revision: version.0, seen_at: Some(now) })),
            Committed::Refused(_) => {
                self.derived().learn(None);
                Ok(None)
            }
        }
    }

    /// The place that a position means, if it is one in this name space and everything after it is still there.
    async fn resume(&self, of: Option<&Watching>, after: Position) -> Result<kv::Position, ConfigsError> {
        if after.space.is_some() && after.space != of.map(|of| of.tag) {
            return Err(ConfigsError::NotOurs);
        }
        let inner = &self.configs().0;
        if let Some(Watching { space, .. }) = of
            && inner.repo.owner_and_floor(&space.keys).await?.1.0 > after.place.revision
        {
            return Err(ConfigsError::ChangesGone);
        }
        let kept = inner.settings.watch_retention().saturating_sub(SLACK);
        let place = after.place;
        if place.seen_at.is_some_and(|at| inner.clock.now() < at.plus(kept)) {
            return Ok(place);
        }
        // Later entries expire later and are let go later, so if this one is there, all of them are.
        if let Some(Watching { space, .. }) = of
            && after.space.is_some()
            && inner.repo.has_change(&space.keys, Version(place.revision)).await?
        {
            return Ok(place);
        }
        Err(ConfigsError::ChangesGone)
    }
}

impl Watcher {
    /// Up to where changes have been told.
    pub fn position(&self) -> Position {
        Position { place: self.place, space: self.of.as_ref().map(|of| of.tag) }
    }

    /// The position of the change that has this revision.
    pub fn at(&self, revision: u64) -> Position {
        let place = kv::Position { revision, seen_at: None };
        Position { place, ..self.position() }
    }

    /// Waits for changes, at most about a second: then the answer is empty, and its position may be told so that a
    /// watcher who resumes later can go on from it. Access is checked anew each time. Can be dropped at any time;
    /// what was not answered is told the next time.
    pub async fn next(&mut self) -> Result<ChangesPage, ConfigsError> {
        if let Some(looked_at) = self.looked_at {
            let left = LOOK.saturating_sub(looked_at.elapsed());
            match &mut self.of {
                Some(of) => drop(timeout(left, of.wake.changed()).await),
                None => sleep(left).await,
            }
        }
        let started = Instant::now();
        let now = self.holder.configs().0.clock.now();
        if now >= self.holder.derived().until {
            return Err(ConfigsError::Forgotten);
        }
        if self.of.is_none() {
            if let Some(space) = self.holder.space().await? {
                self.of = Some(self.holder.watching(space).await?);
            } else {
                self.place.seen_at = Some(now);
                self.looked_at = Some(started);
                return Ok(ChangesPage::default());
            }
        }
        let Some(of) = &self.of else { return Ok(ChangesPage::default()) };
        let mut place = self.place;
        let mut page = self.holder.changes_after(&of.space, (&self.filter, &mut place)).await?;
        // Changes of other keys are no reason to answer, but to go on reading.
        while page.events.is_empty() && page.more {
            page = self.holder.changes_after(&of.space, (&self.filter, &mut place)).await?;
        }
        // Asked last: what was read is told only if it was still ours then.
        let (owner, floor) = self.holder.configs().0.repo.owner_and_floor(&of.space.keys).await?;
        if !self.holder.is_ours(&of.space, owner) {
            return Err(ConfigsError::NotOurs);
        }
        // For the same reason: what was let go meanwhile is missing in what was read.
        if floor.0 > self.place.revision {
            return Err(ConfigsError::ChangesGone);
        }
        self.place = place;
        self.looked_at = (!page.more).then_some(started);
        Ok(page)
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").field("place", &self.place).finish_non_exhaustive()
    }
}
