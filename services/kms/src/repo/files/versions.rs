//! What is registered of the content of files.
//!
//! Beside the file, in its name space's partition:
//!
//! | key | holds |
//! |---|---|
//! | `contents` / file id / file name | how far the versions go: the last registered, the latest published |
//! | `content` / file id / file name / version | the prefix hash that was registered, by whom and when |
//!
//! The file's name is in the key, since one file key may be for many files.

use coffer_api::PrefixHash;
use coffer_core::{FileId, FileName, Timestamp, UserId};
use coffer_store::records::{Opened, SealedCommit, Sort, StoreError, Stored};
use serde::{Deserialize, Serialize};

use super::{FileRecord, FileRepo, Space, name_sort};

/// Registrations of a file that are kept, beside the published one. More than the data service keeps versions.
const REGISTRATIONS_KEPT: u64 = 128;

/// A file's content, of whatever version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentKey<'a> {
    /// The file whose key it is sealed for.
    pub file: FileId,
    /// The file's name.
    pub name: &'a FileName,
}

/// How far the versions of a file go. Nothing is kept of a file without any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentState {
    /// The last that was registered.
    pub last: u64,
    /// The latest that was published; 0 if none was.
    pub published: u64,
}

/// One registered version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentRecord {
    /// The hash of its prefix.
    pub prefix_hash: PrefixHash,
    /// Who registered it.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
}

/// A change of what is registered of one file, over the state that was read.
#[derive(Debug)]
pub struct ContentChange<'a> {
    /// Which file.
    pub key: ContentKey<'a>,
    /// Its state as it was read.
    pub read: Option<Stored<ContentState>>,
    /// What is done.
    pub step: ContentStep<'a>,
}

/// What is done to one file.
#[derive(Debug)]
pub enum ContentStep<'a> {
    /// The next version is registered.
    Register(&'a ContentRecord),
    /// This version is published: later than the one that was, and registered.
    Publish(u64),
}

fn state_sort(key: ContentKey<'_>) -> Sort {
    Sort::of("contents").and(key.file.as_bytes()).and(key.name.as_str()).build()
}

fn content_sort(key: ContentKey<'_>, version: u64) -> Sort {
    let file = Sort::of("content").and(key.file.as_bytes()).and(key.name.as_str());
    file.and(version.to_be_bytes()).build()
}

impl ContentChange<'_> {
    /// The state once this is done.
    pub fn state(&self) -> ContentState {
        let read = self.read.as_ref().map_or_else(ContentState::default, |read| read.value);
        match self.step {
            ContentStep::Register(_) => ContentState { last: read.last + 1, ..read },
            ContentStep::Publish(version) => ContentState { published: version, ..read },
        }
    }

    fn add_to(&self, commit: SealedCommit) -> SealedCommit {
        let (sort, state) = (state_sort(self.key), self.state());
        let mut commit = match &self.read {
            Some(read) => commit.at_version(&sort, read.version),
            None => commit.absent(&sort),
        };
        commit = commit.put_as(&sort, &state, None);
        let oldest = state.last.saturating_sub(REGISTRATIONS_KEPT);
        match self.step {
            ContentStep::Register(content) => {
                commit = commit.put_as(&content_sort(self.key, state.last), content, None);
                if oldest > 0 && oldest != state.published {
                    commit = commit.delete(&content_sort(self.key, oldest));
                }
            }
            ContentStep::Publish(_) => {
                let before = self.read.as_ref().map_or(0, |read| read.value.published);
                if before > 0 && before <= oldest {
                    commit = commit.delete(&content_sort(self.key, before));
                }
            }
        }
        commit
    }
}

impl FileRepo {
    /// How far the versions of these files go.
    pub async fn content_states(
        &self,
        space: Space,
        keys: &[ContentKey<'_>],
    ) -> Result<Vec<Option<Stored<ContentState>>>, StoreError> {
        let sorts: Vec<_> = keys.iter().map(|key| state_sort(*key)).collect();
        self.store.get_many_as(&space.partition(), &sorts).await
    }

    /// What was registered as this version, and how far the versions of the file go.
    pub async fn content(
        &self,
        space: Space,
        key: ContentKey<'_>,
        version: u64,
    ) -> Result<(Option<ContentRecord>, ContentState), StoreError> {
        let sorts = [content_sort(key, version), state_sort(key)];
        let mut found = self.store.get_many(&space.partition(), &sorts).await?.into_iter();
        let (content, state) = (found.next().flatten(), found.next().flatten());
        let content = content.map(Opened::decode::<ContentRecord>).transpose()?;
        let state = state.map(Opened::decode::<ContentState>).transpose()?;
        Ok((
            content.map(|content| content.value),
            state.map_or_else(ContentState::default, |state| state.value),
        ))
    }

    /// Whether these versions are registered.
    pub async fn are_registered(
        &self,
        space: Space,
        versions: &[(ContentKey<'_>, u64)],
    ) -> Result<Vec<bool>, StoreError> {
        let sorts: Vec<_> = versions.iter().map(|(key, version)| content_sort(*key, *version)).collect();
        let found = self.store.get_many(&space.partition(), &sorts).await?;
        Ok(found.into_iter().map(|content| content.is_some()).collect())
    }

    /// Makes all of these changes and marks these files as uploaded, or nothing: `false` if any has changed since it
    /// was read.
    pub async fn change_contents(
        &self,
        space: Space,
        changes: &[ContentChange<'_>],
        uploaded: &[(&FileName, &Stored<FileRecord>)],
    ) -> Result<bool, StoreError> {
        let mut commit = changes.iter().fold(SealedCommit::new(), |commit, change| change.add_to(commit));
        for (name, file) in uploaded {
            let sort = name_sort(name);
            let record = FileRecord { uploaded: true, ..file.value.clone() };
            commit = commit.at_version(&sort, file.version).put_as(&sort, &record, None);
        }
        Ok(self.store.commit(&space.partition(), commit).await?.is_committed())
    }
}
