//! What becomes of an entry that is replaced or deleted: history, and what time will leave to do.

use coffer_core::Timestamp;

use super::super::key::Key;
use super::super::known::Known;
use super::{Context, FORGOTTEN_MAX, Plan, earlier};
use crate::repo::kv::{Leftover, Parts, Past, keys};

impl Plan<'_> {
    /// Says that nothing names these versions any more once this has happened.
    pub(in super::super) fn leave_over(&mut self, key: &Key, versions: Vec<Past>) {
        if !versions.is_empty() {
            self.leftovers.push((key.clone(), versions));
        }
    }

    /// Takes these versions (at most [`FORGOTTEN_MAX`]) out of the history.
    pub(in super::super) fn forget(&mut self, key: &Key, versions: impl IntoIterator<Item = Past>) {
        for past in versions {
            self.add(1, |commit| commit.delete(&keys::history(key.as_str(), past.revision)));
            if let Some((parts, at)) = past.parts {
                self.add(1, |commit| commit.delete(&keys::due(at, key.as_str(), past.revision)));
                self.drop_parts(key, parts);
            }
        }
    }

    /// Removes the parts of a value.
    pub(in super::super) fn drop_parts(&mut self, key: &Key, parts: Parts) {
        for number in 0..parts.count {
            self.add(1, |commit| commit.delete(&keys::part(key.as_str(), parts.id, number)));
        }
    }

    /// Moves the entry that is replaced into the history.
    pub(super) fn retire(
        &mut self,
        key: &Key,
        before: &Known,
        trail: &mut Vec<Past>,
        expires_at: Option<Timestamp>,
    ) {
        let Context { settings, now, .. } = self.context;
        self.unleave(key, before, expires_at);
        if settings.versions_per_key_max > 0 {
            let until = earlier(now.plus(settings.history()), before.head.expires_at);
            self.keep(key, before, (trail, until));
        } else if let Some(parts) = before.head.parts {
            self.drop_parts(key, parts);
        }
        self.trim(key, trail);
    }

    /// Keeps an entry in the history.
    pub(super) fn keep(&mut self, key: &Key, before: &Known, (trail, until): (&mut Vec<Past>, Timestamp)) {
        let revision = before.version.0;
        self.add(1, |commit| commit.retire(&keys::current(key.as_str()), Some(until)));
        let parts = before.head.parts.map(|parts| (parts, until));
        if let Some((parts, at)) = parts {
            let leftover = Leftover { key: key.as_str().to_owned(), parts: Some(parts), expired: None };
            self.leave(at, (key, revision), &leftover);
        }
        trail.push(Past { revision, parts });
    }

    /// Drops the oldest versions beyond what is kept (what the trash gives back is kept in any case), not all at
    /// once if the settings have changed.
    pub(super) fn trim(&mut self, key: &Key, trail: &mut Vec<Past>) {
        let kept = self.context.settings.versions_max().max(1);
        let over = trail.len().saturating_sub(kept).min(FORGOTTEN_MAX);
        let dropped: Vec<_> = trail.drain(..over).collect();
        self.forget(key, dropped);
    }

    /// Notes what is to be done about an entry at that moment.
    pub(super) fn leave(&mut self, at: Timestamp, (key, revision): (&Key, u64), leftover: &Leftover) {
        self.add(1, |commit| commit.put_as(&keys::due(at, key.as_str(), revision), leftover, None));
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// Takes the note away that the current entry expires, unless the next one is noted in its place.
    pub(super) fn unleave(&mut self, key: &Key, before: &Known, next: Option<Timestamp>) {
        if let Some(at) = before.head.expires_at
            && next != Some(at)
        {
            self.add(1, |commit| commit.delete(&keys::due(at, key.as_str(), 0)));
        }
    }
}
