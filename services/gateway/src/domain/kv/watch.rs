//! Watching keys: what happens, as it happens.

use std::fmt;
use std::time::Duration;

use coffer_store::records::Watch;
use tokio::time::{Instant, timeout};

use super::{Caller, ChangesPage, Kv, KvError, Position, Space};

/// A watcher looks by itself after this time, for wake-ups may be lost; access is checked as often.
const LOOK: Duration = Duration::from_millis(900);

impl Kv {
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
