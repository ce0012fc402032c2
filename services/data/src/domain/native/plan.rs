//! What becomes of the versions of a name when the present one is replaced or deleted.

use std::time::Duration;

use coffer_core::{BlobId, Timestamp};
use coffer_store::records::{COLLECT_SLACK, StoreError};

use super::Keeping;
use crate::repo::{Gone, NameState, Past};

/// For how long content is kept after nothing names it any more: the clocks of processes differ, and whoever is reading
/// it has a while to finish.
const LINGER: Duration = COLLECT_SLACK;

/// What is to be kept, and what is not.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The versions before the present one, oldest first.
    pub(super) trail: Vec<Past>,
    /// Until when the record that is there is set aside, if at all.
    pub(super) retire_until: Option<Timestamp>,
    /// Versions that are not kept any longer.
    pub(super) forget: Vec<Past>,
    /// Blobs that nothing names any more from these moments on.
    pub(super) due: Vec<(BlobId, Timestamp)>,
}

impl Plan {
    /// The present version gives way to another.
    pub(super) fn replace(before: &NameState, keeping: &Keeping, now: Timestamp) -> Result<Self, StoreError> {
        let mut plan = Self::of(before, now)?;
        if keeping.versions_max > 0 && !keeping.versions.is_zero() {
            plan.set_aside(before, Gone { at: now, deleted: false, until: now.plus(keeping.versions) })?;
        } else {
            plan.let_go(before, now)?;
        }
        let over = plan.trail.len().saturating_sub(keeping.versions_max);
        plan.forget = plan.trail.drain(..over).collect();
        plan.due.extend(blobs(&plan.forget).map(|blob| (blob, now.plus(LINGER))));
        Ok(plan)
    }

    /// The file is deleted.
    pub(super) fn delete(before: &NameState, keeping: &Keeping, now: Timestamp) -> Result<Self, StoreError> {
        let mut plan = Self::of(before, now)?;
        if keeping.trash.is_zero() {
            plan.let_go(before, now)?;
            plan.forget = std::mem::take(&mut plan.trail);
            plan.due.extend(blobs(&plan.forget).map(|blob| (blob, now.plus(LINGER))));
        } else {
            plan.set_aside(before, Gone { at: now, deleted: true, until: now.plus(keeping.trash) })?;
        }
        Ok(plan)
    }

    /// The versions that are still kept: those whose time is over went by themselves.
    fn of(before: &NameState, now: Timestamp) -> Result<Self, StoreError> {
        let mut trail = before.trail()?;
        trail.retain(|past| past.until > now);
        Ok(Self { trail, ..Self::default() })
    }

    fn set_aside(&mut self, before: &NameState, gone: Gone) -> Result<(), StoreError> {
        let Some(file) = &before.file else { return Ok(()) };
        if let Some(past) = Past::of(&file.record()?, file.version(), gone) {
            self.retire_until = Some(gone.until);
            self.due.extend(past.blob.map(|blob| (blob, gone.until.plus(LINGER))));
            self.trail.push(past);
        }
        Ok(())
    }

    fn let_go(&mut self, before: &NameState, now: Timestamp) -> Result<(), StoreError> {
        let Some(file) = &before.file else { return Ok(()) };
        let record = file.record()?;
        self.due.extend(record.blob().map(|blob| (blob.id, now.plus(LINGER))));
        Ok(())
    }
}

fn blobs(versions: &[Past]) -> impl Iterator<Item = BlobId> {
    versions.iter().filter_map(|past| past.blob)
}
