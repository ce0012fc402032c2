//! Making an envelope the content of a name, by one commit that is guarded on all that was there before.

use coffer_core::{FileId, FileName, Timestamp, UserId};
use coffer_crypto::envelope::Head;
use coffer_store::records::StoreError;
use serde_bytes::Bytes;

use super::condition::Condition;
use super::plan::Plan;
use crate::domain::files::{Files, given_up};
use crate::domain::library::{LibraryError, Wanted};
use crate::repo::{Change, Changed, Content, Due, FileRecord, NameState, Native, Tag};

/// How often a commit is tried whose guards somebody else overtook: each of them got further.
const TRIES_MAX: u32 = 16;

/// What is to be stored, and when.
#[derive(Clone, Debug)]
pub(crate) struct PutOrder<'a> {
    /// The name, and whose.
    pub(crate) wanted: Wanted<'a>,
    /// The version of the content.
    pub(crate) version: u64,
    /// What must be there.
    pub(crate) condition: Condition,
}

/// What was stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored {
    pub(crate) tag: Tag,
    pub(crate) size_bytes: u64,
    pub(crate) created_at: Timestamp,
    /// Whether there was no file of this name.
    pub(crate) is_new: bool,
}

/// A name in a space.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) space: UserId,
    pub(crate) name: &'a FileName,
}

/// What has arrived.
pub(super) struct Arrived<'a> {
    pub(super) head: &'a Head,
    pub(super) content: Content<'a>,
    pub(super) content_bytes: u64,
}

/// The tag of the file that is there; an error if it is no envelope.
pub(super) fn present(state: &NameState) -> Result<Option<Tag>, LibraryError> {
    let Some(file) = &state.file else { return Ok(None) };
    let record = file.record()?;
    Ok(Some(record.native.ok_or(LibraryError::Exists)?.tag))
}

/// Refuses what `order` may not do to what is there.
pub(super) fn check(state: &NameState, order: &PutOrder<'_>) -> Result<(), LibraryError> {
    let present = present(state)?;
    if !order.condition.holds(present.map(Tag::text).as_deref()) {
        return Err(LibraryError::Changed);
    }
    let deleted = || state.trashed.as_ref().and_then(|(_, tombstone)| tombstone.trail.last());
    let last = present.or_else(|| deleted().map(|past| past.tag)).map_or(0, |tag| tag.version);
    if order.version <= last {
        return Err(LibraryError::Conflict);
    }
    Ok(())
}

impl Files {
    /// Publishes what has arrived, unless that may not be (any more).
    pub(super) async fn publish(
        &self,
        place: Place<'_>,
        order: &PutOrder<'_>,
        arrived: &Arrived<'_>,
    ) -> Result<Stored, LibraryError> {
        let tag = Tag { version: order.version, stanzas: 0, mark: u64::from_be_bytes(self.salt()) };
        for _ in 0..TRIES_MAX {
            let keys = keys_of(arrived.head);
            let (before, fences) = self.repo.state_and_fences(place.space, place.name, &keys).await?;
            check(&before, order)?;
            if !fences.admit(arrived.head) {
                return Err(LibraryError::KeyDestroyed);
            }
            let now = self.clock.now();
            let mut plan = Plan::replace(&before, &self.keeping, now)?;
            let record = record(arrived, tag, now, std::mem::take(&mut plan.trail));
            self.note(place, &plan).await?;
            let change = Change {
                put: Some(&record),
                retire_until: plan.retire_until,
                forget: &plan.forget,
                bury: None,
                fences: Some(&fences),
                blob_names: None,
            };
            match self.repo.change(place.space, place.name, &before, &change).await? {
                Changed::Yes => {
                    let (size_bytes, is_new) = (record.size_bytes, before.file.is_none());
                    return Ok(Stored { tag, size_bytes, created_at: now, is_new });
                }
                Changed::Overtaken => {}
                Changed::Dropped => return Err(given_up().into()),
            }
        }
        Err(LibraryError::Conflict)
    }

    /// Notes what nothing will name any more once the plan has been carried out: before it is.
    pub(super) async fn note(&self, place: Place<'_>, plan: &Plan) -> Result<(), StoreError> {
        for (blob, at) in &plan.due {
            let due = Due { blob: *blob, space: place.space, file_name: place.name.clone() };
            self.due.add(&due, *at, self.salt()).await?;
        }
        Ok(())
    }

    /// Eight random bytes.
    pub(super) fn salt(&self) -> [u8; 8] {
        let mut salt = [0; 8];
        self.random.fill(&mut salt);
        salt
    }
}

/// The file keys that a head is wrapped for.
pub(super) fn keys_of(head: &Head) -> Vec<FileId> {
    let mut keys: Vec<_> = head.stanzas.stanzas().iter().map(|stanza| stanza.file_key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

pub(super) fn record<'a>(
    arrived: &Arrived<'a>,
    tag: Tag,
    now: Timestamp,
    trail: Vec<crate::repo::Past>,
) -> FileRecord<'a> {
    let (prefix, stanzas) =
        (Bytes::new(arrived.head.prefix.as_bytes()), Bytes::new(arrived.head.stanzas.as_bytes()));
    FileRecord {
        created_at: now,
        size_bytes: (prefix.len() + stanzas.len()) as u64 + arrived.content_bytes,
        wrapped_key: Bytes::new(&[]),
        wrapped_vector: Bytes::new(&[]),
        content: arrived.content,
        native: Some(Native { tag, prefix, stanzas, trail }),
    }
}
