//! What a name means in a space, and how that changes: by one commit, guarded on all of what was there before.

use coffer_core::{BlobId, FileId, FileName, Timestamp, UserId};
use coffer_store::records::{Outcome, Page, SealedCommit, Sort, StoreError, Version};

use super::blob_names::BlobNames;
use super::fences::Fences;
use super::files::{FileRepo, StoredFile};
use super::native::{Past, Tombstone};
use super::record::{
    FileRecord, dropped_key, fence_key, name_key, partition, trash_key, trash_range, trashed_name_in,
};

/// What stands under a name.
#[derive(Debug)]
pub(crate) struct NameState {
    /// The file, if there is one.
    pub(crate) file: Option<StoredFile>,
    /// What was deleted under this name and not made anew since, if anything.
    pub(crate) trashed: Option<(Version, Tombstone)>,
}

impl NameState {
    /// The versions before the present one, oldest first.
    pub(crate) fn trail(&self) -> Result<Vec<Past>, StoreError> {
        if let Some(file) = &self.file
            && let Some(native) = file.record()?.native
        {
            return Ok(native.trail);
        }
        Ok(self.trashed.as_ref().map(|(_, tombstone)| tombstone.trail.clone()).unwrap_or_default())
    }

    /// Whether any version that is kept at `now` has its content in `blob`.
    pub(crate) fn names(&self, blob: BlobId, now: Timestamp) -> Result<bool, StoreError> {
        let is_in = |trail: &[Past]| trail.iter().any(|past| past.blob == Some(blob) && past.until > now);
        if let Some(file) = &self.file {
            let record = file.record()?;
            if record.blob().is_some_and(|named| named.id == blob)
                || record.native.is_some_and(|native| is_in(&native.trail))
            {
                return Ok(true);
            }
        }
        Ok(self.trashed.as_ref().is_some_and(|(_, tombstone)| is_in(&tombstone.trail)))
    }
}

/// What is to become of a name.
#[derive(Debug, Default)]
pub(crate) struct Change<'a> {
    /// The file that it has from now on.
    pub(crate) put: Option<&'a FileRecord<'a>>,
    /// Until when the file that it had is set aside, if at all.
    pub(crate) retire_until: Option<Timestamp>,
    /// What is told of the file that it had, if it goes to the trash, and until when.
    pub(crate) bury: Option<(&'a Tombstone, Timestamp)>,
    /// Versions that are not kept any longer, or come back.
    pub(crate) forget: &'a [Past],
    /// Which versions of file keys are taken in: as it was read.
    pub(crate) fences: Option<&'a Fences>,
    /// The names that its blob has from now on, if it has several.
    pub(crate) blob_names: Option<&'a BlobNames>,
}

/// What is to become of one of several names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfName<'a> {
    pub(crate) name: &'a FileName,
    /// What stood under it.
    pub(crate) before: &'a NameState,
    pub(crate) change: &'a Change<'a>,
}

impl OfName<'_> {
    /// Adds what it takes; says which of the guards are about blobs that may have been given up.
    fn add_to(&self, mut commit: SealedCommit, guards: &mut Guards) -> SealedCommit {
        let Self { name, before, change } = self;
        let (file, trash) = (name_key(name), trash_key(name));
        commit = match &before.file {
            Some(stored) => commit.at_version(&file, stored.version()),
            None => commit.absent(&file),
        };
        commit = match &before.trashed {
            Some((version, _)) => commit.at_version(&trash, *version),
            None => commit.absent(&trash),
        };
        guards.all += 2;
        if let Some(fences) = change.fences {
            commit = fences.guard(commit);
            guards.all += fences.len();
        }
        if let Some(names) = change.blob_names {
            commit = names.write(commit);
            guards.all += 1;
        }
        if let Some(blob) = change.put.and_then(FileRecord::blob) {
            commit = commit.absent(&dropped_key(blob.id));
            guards.of_blobs.push(guards.all);
            guards.all += 1;
        }
        if let Some(until) = change.retire_until {
            commit = commit.retire(&file, Some(until));
        }
        commit = match change.put {
            Some(record) => commit.put_as(&file, record, None),
            None => commit.delete(&file),
        };
        commit = match change.bury {
            Some((tombstone, until)) => commit.put_as(&trash, tombstone, Some(until)),
            None if before.trashed.is_some() => commit.delete(&trash),
            None => commit,
        };
        change.forget.iter().fold(commit, |commit, past| commit.delete(&Sort::past(&file, past.revision())))
    }
}

/// The guards of a commit, by their places.
#[derive(Default)]
struct Guards {
    all: usize,
    /// Those that refuse a blob that was given up.
    of_blobs: Vec<usize>,
}

/// What came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    /// It happened.
    Yes,
    /// Something else stands there by now.
    Overtaken,
    /// Its blob has been given up meanwhile.
    Dropped,
}

impl FileRepo {
    /// What stands under a name.
    pub(crate) async fn state(&self, space: UserId, name: &FileName) -> Result<NameState, StoreError> {
        Ok(self.state_and_fences(space, name, &[]).await?.0)
    }

    /// What stands under a name, and which versions of these file keys are taken in.
    pub(crate) async fn state_and_fences(
        &self,
        space: UserId,
        name: &FileName,
        files: &[FileId],
    ) -> Result<(NameState, Fences), StoreError> {
        // One round trip, so that what moves from one to the other is not missed by both.
        let fences = files.iter().map(|file| fence_key(*file));
        let keys: Vec<_> = [name_key(name), trash_key(name)].into_iter().chain(fences).collect();
        let mut found = self.records.get_many(&partition(space), &keys).await?;
        let fences = found.split_off(2.min(found.len()));
        let [file, trashed] = <[_; 2]>::try_from(found)
            .map_err(|_| StoreError::Corrupt { what: "two records were asked for".to_owned() })?;
        let trashed = trashed.map(|record| {
            let version = record.version;
            record.decode::<Tombstone>().map(|record| (version, record.value))
        });
        let state = NameState { file: file.map(StoredFile::from), trashed: trashed.transpose()? };
        Ok((state, Fences::of(files, fences)?))
    }

    /// A version that was set aside, if it is still kept.
    pub(crate) async fn past(
        &self,
        space: UserId,
        name: &FileName,
        past: &Past,
    ) -> Result<Option<StoredFile>, StoreError> {
        let key = Sort::past(&name_key(name), past.revision());
        Ok(self.records.get(&partition(space), &key).await?.map(StoredFile::from))
    }

    /// Changes what stands under a name, if that is still `before`.
    pub(crate) async fn change(
        &self,
        space: UserId,
        name: &FileName,
        before: &NameState,
        change: &Change<'_>,
    ) -> Result<Changed, StoreError> {
        self.change_all(space, &[OfName { name, before, change }]).await
    }

    /// Changes what stands under several names together, if each is still as it was before.
    pub(crate) async fn change_all(
        &self,
        space: UserId,
        names: &[OfName<'_>],
    ) -> Result<Changed, StoreError> {
        let mut guards = Guards::default();
        let commit =
            names.iter().fold(SealedCommit::new(), |commit, of_name| of_name.add_to(commit, &mut guards));
        Ok(match self.records.commit(&partition(space), commit).await? {
            Outcome::Committed(_) => Changed::Yes,
            Outcome::Refused { guard } if guards.of_blobs.contains(&guard) => Changed::Dropped,
            Outcome::Refused { .. } => Changed::Overtaken,
        })
    }

    /// The deleted files after this name, in the order of their names.
    pub(crate) async fn tombstones(
        &self,
        space: UserId,
        after: Option<&FileName>,
        limit: usize,
    ) -> Result<Page<(String, Tombstone)>, StoreError> {
        let range = trash_range("", after.map(FileName::as_str));
        let page = self.records.scan_as::<Tombstone>(&partition(space), &range, limit).await?;
        let items = page.items.into_iter().filter_map(|record| {
            let name = trashed_name_in(&record.sort)?.to_owned();
            Some((name, record.value))
        });
        Ok(Page { items: items.collect(), more: page.more })
    }

    /// Takes back that `blob` was given up.
    pub(crate) async fn keep_blob(&self, space: UserId, blob: BlobId) -> Result<(), StoreError> {
        let commit = SealedCommit::new().delete(&dropped_key(blob));
        self.records.commit(&partition(space), commit).await.map(drop)
    }
}
