//! Copying and moving on the server: content gets another name, by one commit.
//!
//! Within a space the copy has the content of the original itself: a blob may have several names ([`BlobNames`]). What is
//! copied from somebody else's files is read and stored once more, like an upload: each space is a partition of its own,
//! and no commit reaches two.
//!
//! The road not taken: a count of names in each blob's record. It has to be right after every crash; who looks at the names
//! themselves cannot be wrong about them.
//!
//! [`BlobNames`]: crate::repo::BlobNames

use coffer_api::grants::Permission;
use coffer_core::{BlobId, FileName};
use coffer_crypto::envelope::{Head, Prefix, StanzaSection};
use coffer_store::records::StoreError;
use futures_util::stream::{self, StreamExt as _};

use super::Answer;
use super::plan::Plan;
use super::publish::{Arrived, Place, PutOrder, Stored, check, keys_of, present, record};
use crate::domain::access::Resolved;
use crate::domain::files::Files;
use crate::domain::library::{Caller, Library, LibraryError, Wanted};
use crate::domain::turns::Reader;
use crate::repo::{BlobNames, Change, Changed, NameState, Native, OfName, StoredFile, Tag, Tombstone};

/// How often a commit is tried whose guards somebody else overtook: each of them got further.
const TRIES_MAX: u32 = 16;

/// What is copied, and to where.
#[derive(Clone, Debug)]
pub(crate) struct CopyOrder<'a> {
    /// The file, and whose.
    pub(crate) from: Wanted<'a>,
    /// Which version of it.
    pub(crate) from_version: u64,
    /// Where it goes, as which version.
    pub(crate) to: PutOrder<'a>,
    /// The stanzas that it has there.
    pub(crate) stanzas: &'a StanzaSection,
}

/// What is moved, and to where.
#[derive(Clone, Debug)]
pub(crate) struct MoveOrder<'a> {
    /// The name that it has.
    pub(crate) from: &'a FileName,
    /// The present version of it.
    pub(crate) from_version: u64,
    /// Where it goes, as which version.
    pub(crate) to: PutOrder<'a>,
    /// The stanzas that it has there.
    pub(crate) stanzas: &'a StanzaSection,
}

impl Library {
    /// Copies a version of a file that the caller may read to where he may write.
    pub(crate) async fn copy(
        &self,
        (caller, sender): (&Caller, Reader),
        order: &CopyOrder<'_>,
    ) -> Result<Stored, LibraryError> {
        let files = self.files()?;
        let from = self.readable(caller, order.from).await?;
        let place =
            Place { space: self.writable(caller, order.to.wanted).await?, name: order.to.wanted.name };
        let file = self.find_native(caller, order.from, Some(order.from_version)).await?;
        let head = head_of(file.stored(), order.stanzas)?;
        if from == place.space
            && let Some(stored) = files.copy_within(place, order, (file.stored(), &head)).await?
        {
            return Ok(stored);
        }
        let start = head_bytes(file.stored())?;
        let content = self.read_native(sender, &file, start..file.size_bytes).await?;
        let head = stream::iter([Ok::<_, StoreError>(head.to_bytes().into())]);
        let content = match content {
            Answer::Whole(bytes) => stream::iter([Ok(bytes)]).boxed(),
            Answer::Pieces(pieces) => pieces,
        };
        self.put((caller, sender), &order.to, head.chain(content)).await
    }

    /// The space in which the caller may read a file of this name.
    async fn readable(
        &self,
        caller: &Caller,
        wanted: Wanted<'_>,
    ) -> Result<coffer_core::UserId, LibraryError> {
        Ok(self.locate(caller, wanted).await?.0)
    }

    /// Gives a file another name in the same space; the old name goes to the trash with its history.
    pub(crate) async fn rename(
        &self,
        caller: &Caller,
        order: &MoveOrder<'_>,
    ) -> Result<Stored, LibraryError> {
        let (files, to) = (self.files()?, order.to.wanted);
        let space = self.writable(caller, to).await?;
        if space != caller.space() {
            // A grant to write under one name is none to take away under another.
            let from = Wanted { name: order.from, owner: to.owner };
            let Caller::User(principal) = caller else { return Err(LibraryError::Denied) };
            match self.resolve(principal, from, Permission::Write).await? {
                Resolved::In(other) if other == space => {}
                _ => return Err(LibraryError::Denied),
            }
        }
        for _ in 0..TRIES_MAX {
            if let Some(stored) = files.try_rename(Place { space, name: to.name }, order).await? {
                return Ok(stored);
            }
        }
        Err(LibraryError::Conflict)
    }
}

impl Files {
    /// Copies within a space; nothing if the copy has to have bytes of its own.
    async fn copy_within(
        &self,
        place: Place<'_>,
        order: &CopyOrder<'_>,
        (file, head): (&StoredFile, &Head),
    ) -> Result<Option<Stored>, LibraryError> {
        for _ in 0..TRIES_MAX {
            let Some(shared) = self.shared(place, file, order.from.name).await? else { return Ok(None) };
            let keys = keys_of(head);
            let (before, fences) = self.repo.state_and_fences(place.space, place.name, &keys).await?;
            check(&before, &order.to)?;
            if !fences.admit(head) {
                return Err(LibraryError::KeyDestroyed);
            }
            let (tag, now) = (self.make_tag(&order.to), self.clock.now());
            let mut plan = Plan::replace(&before, &self.keeping, now)?;
            let arrived = arrived(file, head)?;
            let record = record(&arrived, tag, now, std::mem::take(&mut plan.trail));
            self.note(place, &plan).await?;
            let change = Change {
                put: Some(&record),
                retire_until: plan.retire_until,
                forget: &plan.forget,
                bury: None,
                fences: Some(&fences),
                blob_names: shared.as_ref(),
            };
            match self.repo.change(place.space, place.name, &before, &change).await? {
                Changed::Yes => {
                    let (size_bytes, is_new) = (record.size_bytes, before.file.is_none());
                    return Ok(Some(Stored { tag, size_bytes, created_at: now, is_new }));
                }
                Changed::Overtaken => {}
                // What was to be copied went just now.
                Changed::Dropped => return Err(LibraryError::VersionNotFound),
            }
        }
        Err(LibraryError::Conflict)
    }

    /// The names that the content of a file has once it has this one too; nothing within if it lies in no blob, and
    /// nothing at all if they are too many.
    async fn shared(
        &self,
        place: Place<'_>,
        file: &StoredFile,
        from: &FileName,
    ) -> Result<Option<Option<BlobNames>>, LibraryError> {
        let Some(blob) = blob_of(file)? else { return Ok(Some(None)) };
        let names = self.repo.blob_names(place.space, blob).await?;
        Ok(names.with([from, place.name]).map(Some))
    }

    fn make_tag(&self, order: &PutOrder<'_>) -> Tag {
        Tag { version: order.version, stanzas: 0, mark: u64::from_be_bytes(self.salt()) }
    }

    /// Moves a file, by one commit that is guarded on all that stood under both names; nothing if that has changed.
    async fn try_rename(
        &self,
        place: Place<'_>,
        order: &MoveOrder<'_>,
    ) -> Result<Option<Stored>, LibraryError> {
        let old = Place { space: place.space, name: order.from };
        let source = self.repo.state(old.space, old.name).await?;
        let file = moved(&source, order.from_version)?;
        let head = head_of(file, order.stanzas)?;
        let keys = keys_of(&head);
        let (before, fences) = self.repo.state_and_fences(place.space, place.name, &keys).await?;
        check(&before, &order.to)?;
        if !fences.admit(&head) {
            return Err(LibraryError::KeyDestroyed);
        }
        let shared = match blob_of(file)? {
            Some(blob) => {
                let names = self.repo.blob_names(place.space, blob).await?;
                Some(names.with([old.name, place.name]).ok_or(LibraryError::Conflict)?)
            }
            None => None,
        };
        let (tag, now) = (self.make_tag(&order.to), self.clock.now());
        let mut plan = Plan::replace(&before, &self.keeping, now)?;
        let arrived = arrived(file, &head)?;
        let record = record(&arrived, tag, now, std::mem::take(&mut plan.trail));
        let mut end = Plan::delete(&source, &self.keeping, now)?;
        self.note(place, &plan).await?;
        self.note(old, &end).await?;
        let tombstone = Tombstone { trail: std::mem::take(&mut end.trail) };
        let there = Change {
            put: Some(&record),
            retire_until: plan.retire_until,
            forget: &plan.forget,
            bury: None,
            fences: Some(&fences),
            blob_names: shared.as_ref(),
        };
        let here = Change {
            retire_until: end.retire_until,
            bury: end.retire_until.map(|until| (&tombstone, until)),
            forget: &end.forget,
            ..Change::default()
        };
        let both = [
            OfName { name: place.name, before: &before, change: &there },
            OfName { name: old.name, before: &source, change: &here },
        ];
        match self.repo.change_all(place.space, &both).await? {
            Changed::Yes => {
                let (size_bytes, is_new) = (record.size_bytes, before.file.is_none());
                Ok(Some(Stored { tag, size_bytes, created_at: now, is_new }))
            }
            Changed::Overtaken | Changed::Dropped => Ok(None),
        }
    }
}

/// The file that is there, if it has this version.
fn moved(source: &NameState, version: u64) -> Result<&StoredFile, LibraryError> {
    let tag = match present(source) {
        Ok(Some(tag)) => tag,
        // A classic file is none on this surface.
        Ok(None) | Err(LibraryError::Exists) => return Err(LibraryError::NotFound),
        Err(error) => return Err(error),
    };
    if tag.version != version {
        return Err(LibraryError::Conflict);
    }
    source.file.as_ref().ok_or(LibraryError::NotFound)
}

/// The head that the copy has.
fn head_of(file: &StoredFile, stanzas: &StanzaSection) -> Result<Head, LibraryError> {
    let record = file.record()?;
    let prefix = record.native.as_ref().and_then(|native| native.prefix.as_ref().try_into().ok());
    let prefix = prefix.and_then(|prefix| Prefix::parse(prefix).ok());
    let broken = || StoreError::Corrupt { what: "an envelope has no prefix".to_owned() };
    Ok(Head { prefix: prefix.ok_or_else(broken)?, stanzas: stanzas.clone() })
}

fn head_bytes(file: &StoredFile) -> Result<u64, LibraryError> {
    Ok(file.record()?.native.as_ref().map_or(0, Native::head_bytes))
}

fn blob_of(file: &StoredFile) -> Result<Option<BlobId>, LibraryError> {
    Ok(file.record()?.blob().map(|blob| blob.id))
}

/// The content of a file, behind another head.
fn arrived<'a>(file: &'a StoredFile, head: &'a Head) -> Result<Arrived<'a>, LibraryError> {
    let record = file.record()?;
    let content_bytes = record.size_bytes - head_bytes(file)?;
    Ok(Arrived { head, content: record.content, content_bytes })
}
