//! What happened to configurations, in order, as far as somebody wants to know.

use coffer_core::Timestamp;
use coffer_store::records::Version;

use super::space::OpenSpace;
use super::{ConfigsError, Holder};
use crate::domain::kv;
use crate::repo::configs::{Change, ChangeRecord};

/// Changes read at once.
const PAGE: usize = 256;

/// What is watched.
#[derive(Clone, Debug, Default)]
pub struct WatchFilter {
    /// Keys that begin with this.
    pub prefix: String,
    /// Of this environment.
    pub environment: Option<String>,
    /// Of this category; also what leaves it.
    pub category: Option<String>,
}

impl WatchFilter {
    fn takes(&self, change: &Change) -> bool {
        let of = |category: &str| {
            change.category.as_deref() == Some(category) || change.left.as_deref() == Some(category)
        };
        change.key.starts_with(&self.prefix)
            && self.environment.as_ref().is_none_or(|environment| change.environment == *environment)
            && self.category.as_deref().is_none_or(of)
    }
}

/// Something that happened to a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The revision of the commit. Changes that were made together have it in common.
    pub revision: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub change: Change,
}

/// What happened, in order.
#[derive(Clone, Debug, Default)]
pub struct ChangesPage {
    /// All changes of a revision are in one page.
    pub events: Vec<Event>,
    /// Whether there is more already.
    pub(super) more: bool,
}

impl Holder {
    /// Reads on from a place and moves it. Whether the name space is still ours is for the caller to ask.
    pub(super) async fn changes_after(
        &self,
        space: &OpenSpace,
        (filter, place): (&WatchFilter, &mut kv::Position),
    ) -> Result<ChangesPage, ConfigsError> {
        let inner = &self.configs().0;
        let looked_at = inner.clock.now();
        let page = inner.repo.changes(&space.keys, Version(place.revision), PAGE).await?;
        // A place at which there is a change needs no time; one that was looked at without finding any was so then.
        *place = match page.items.last() {
            Some((last, _)) => kv::Position { revision: last.0, seen_at: None },
            None => kv::Position { seen_at: Some(looked_at), ..*place },
        };
        let mut events = Vec::new();
        for (version, ChangeRecord { at, changes }) in page.items {
            let seen = changes.into_iter().filter(|change| filter.takes(change));
            events.extend(seen.map(|change| Event { revision: version.0, at, change }));
        }
        Ok(ChangesPage { events, more: page.more })
    }
}
