//! What others did with a file key, for its owner to see.
//!
//! Uses are added up in memory and written every second, so that an unwrapping costs no commit beside that of its event. A
//! process that is killed loses the sums of its last second and no event. What was exported is written at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coffer_core::{FileId, FileName, Timestamp, UserId};

use super::list::{range, text};
use super::resolve::{Access, Found};
use super::{Caller, FileKeyError, FileKeys, Paged};
use crate::repo::files::{FileRepo, UseKey, UseRecord};

/// How often sums are written.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// Sums in memory, at most; beyond them whoever uses a key waits until they are written.
const SUMS_MAX: usize = 10_000;

/// What is done with a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use {
    /// Something was unwrapped.
    Unwrapped,
    /// This version of a file's content was opened.
    Opened(u64),
    /// The private half of this version was handed out.
    Exported(u32),
}

/// The sums that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<HashMap<UseKey, UseRecord>>);

/// What somebody did with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsesOf {
    /// Who.
    pub user: UserId,
    /// What.
    pub uses: UseRecord,
}

impl Use {
    fn at(self, now: Timestamp) -> UseRecord {
        let none = UseRecord {
            first_at: now,
            last_at: now,
            unwraps: 0,
            exports: 0,
            exported_version: None,
            content_version: None,
        };
        match self {
            Self::Unwrapped => UseRecord { unwraps: 1, ..none },
            Self::Opened(version) => UseRecord { unwraps: 1, content_version: Some(version), ..none },
            Self::Exported(version) => UseRecord { exports: 1, exported_version: Some(version), ..none },
        }
    }
}

impl Uses {
    /// Adds one; says whether there are so many sums that they should be written.
    fn add(&self, key: UseKey, uses: &UseRecord) -> bool {
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sums.entry(key).and_modify(|sum| *sum = sum.and(uses)).or_insert_with(|| uses.clone());
        sums.len() >= SUMS_MAX
    }

    fn take(&self) -> HashMap<UseKey, UseRecord> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl FileKeys {
    /// Takes note of a use by somebody whom the owner let in.
    pub(super) async fn note_use(&self, caller: &Caller, found: &Found, what: Use) {
        if found.access == Access::Owner {
            return;
        }
        let key = UseKey { space: found.space, file: found.file.id, user: caller.user };
        let is_full = self.uses.add(key, &what.at(self.now()));
        if is_full || matches!(what, Use::Exported(_)) {
            self.write_uses().await;
        }
    }

    /// Writes the sums until it is dropped.
    pub async fn keep_writing_uses(self: Arc<Self>) {
        loop {
            tokio::time::sleep(WRITE_EVERY).await;
            self.write_uses().await;
        }
    }

    /// Writes the sums. What cannot be written stays for the next time.
    pub async fn write_uses(&self) {
        for (key, uses) in self.uses.take() {
            let written = self.files.add_uses(&key, &uses).await;
            if let Err(error) = &written {
                tracing::debug!(error = error as &dyn std::error::Error, "uses are written later");
            }
            if !matches!(written, Ok(true)) {
                self.uses.add(key, &uses);
            }
        }
    }

    /// What others did with a key of the caller's.
    pub async fn uses(
        &self,
        caller: &Caller,
        name: &FileName,
        (cursor, limit): (Option<&str>, usize),
    ) -> Result<Paged<UsesOf>, FileKeyError> {
        let owned = self.owned(caller, name).await?;
        self.write_uses().await;
        let file: FileId = owned.file.value.id;
        let range = range(FileRepo::uses_of(file), cursor)?;
        let page = self.files.uses(owned.space, &range, limit).await?;
        let next = page.items.last().filter(|_| page.more).map(|(_, uses)| text(&uses.sort));
        let items = page.items.into_iter().map(|(user, uses)| UsesOf { user, uses: uses.value });
        Ok(Paged { items: items.collect(), next })
    }
}
