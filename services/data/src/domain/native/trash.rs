//! Deleting envelopes, and bringing them back.

use coffer_core::{FileName, Timestamp};
use coffer_store::records::Page;

use super::condition::Condition;
use super::plan::Plan;
use super::publish::{Place, present};
use super::reading::NativeFile;
use crate::domain::library::{Caller, Library, LibraryError, Wanted};
use crate::repo::{Change, Changed, FileRecord, Native, Tag, Tombstone};

/// How often a commit is tried whose guards somebody else overtook: each of them got further.
const TRIES_MAX: u32 = 16;

/// A deleted file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trashed {
    pub(crate) file_name: String,
    pub(crate) version: u64,
    pub(crate) size_bytes: u64,
    pub(crate) deleted_at: Timestamp,
    pub(crate) kept_until: Timestamp,
}

impl Library {
    /// Deletes an envelope with all of its versions. They can be brought back as long as deleted files are kept.
    pub(crate) async fn delete(
        &self,
        caller: &Caller,
        wanted: Wanted<'_>,
        condition: &Condition,
    ) -> Result<(), LibraryError> {
        let files = self.files()?;
        let place = Place { space: self.writable(caller, wanted).await?, name: wanted.name };
        for _ in 0..TRIES_MAX {
            let before = files.repo.state(place.space, place.name).await?;
            let tag = match present(&before) {
                Ok(Some(tag)) => tag,
                // A classic file is none on this surface.
                Ok(None) | Err(LibraryError::Exists) => return Err(LibraryError::NotFound),
                Err(error) => return Err(error),
            };
            if !condition.holds(Some(&tag.text())) {
                return Err(LibraryError::Changed);
            }
            let mut plan = Plan::delete(&before, &files.keeping, files.clock.now())?;
            files.note(place, &plan).await?;
            let tombstone = Tombstone { trail: std::mem::take(&mut plan.trail) };
            let change = Change {
                retire_until: plan.retire_until,
                bury: plan.retire_until.map(|until| (&tombstone, until)),
                forget: &plan.forget,
                ..Change::default()
            };
            if files.repo.change(place.space, place.name, &before, &change).await? == Changed::Yes {
                return Ok(());
            }
        }
        Err(LibraryError::Conflict)
    }

    /// The caller's deleted files after this name, in the order of their names.
    pub(crate) async fn trash(
        &self,
        caller: &Caller,
        after: Option<&FileName>,
        limit: usize,
    ) -> Result<Page<Trashed>, LibraryError> {
        let page = self.files()?.repo.tombstones(caller.space(), after, limit).await?;
        let items = page.items.into_iter().filter_map(|(file_name, tombstone)| {
            let last = tombstone.trail.last()?;
            Some(Trashed {
                file_name,
                version: last.tag.version,
                size_bytes: last.size_bytes,
                deleted_at: last.gone_at,
                kept_until: last.until,
            })
        });
        Ok(Page { items: items.collect(), more: page.more })
    }

    /// Brings a deleted file of the caller's back, with its versions.
    pub(crate) async fn restore(&self, caller: &Caller, name: &FileName) -> Result<NativeFile, LibraryError> {
        let files = self.files()?;
        let wanted = Wanted { name, owner: None };
        let place = Place { space: self.writable(caller, wanted).await?, name };
        for _ in 0..TRIES_MAX {
            let before = files.repo.state(place.space, name).await?;
            if before.file.is_some() {
                return Err(LibraryError::Exists);
            }
            let mut trail = before.trail()?;
            let deleted = trail.pop().ok_or(LibraryError::NotFound)?;
            let kept = files.repo.past(place.space, name, &deleted).await?.ok_or(LibraryError::NotFound)?;
            let record = kept.record()?;
            let (tag, native) = match record.native {
                Some(native) => (native.tag, Some(Native { trail, ..native })),
                None => return Err(LibraryError::NotFound),
            };
            let record = FileRecord { native, ..record };
            let change = Change { put: Some(&record), forget: &[deleted], ..Change::default() };
            match files.repo.change(place.space, name, &before, &change).await? {
                Changed::Yes => return self.just_restored(place, tag).await,
                Changed::Overtaken => {}
                // Its time was over by the clock of whoever collected it.
                Changed::Dropped => return Err(LibraryError::NotFound),
            }
        }
        Err(LibraryError::Conflict)
    }

    async fn just_restored(&self, place: Place<'_>, tag: Tag) -> Result<NativeFile, LibraryError> {
        let file = self.files()?.get(place.space, place.name).await?.ok_or(LibraryError::NotFound)?;
        let file = NativeFile::of(file)?.filter(|file| file.tag == tag);
        // Somebody has changed it already.
        file.ok_or(LibraryError::Conflict)
    }
}
