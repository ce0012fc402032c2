//! Rotation: a file key gets another version, on command or by age.
//!
//! From that moment new content is wrapped for the new version. What is kept is wrapped for it anew in the background
//! ([`moving`](super::moving)); until that is done every version that is kept opens what was wrapped for it, and the private
//! key that is handed out stays the one that everything kept is wrapped for.
//!
//! It is noted that there is something to move before there is: whatever is interrupted, the note is found.

use std::time::Duration;

use coffer_api::file_keys::Covers;
use coffer_core::{FileName, Timestamp};
use coffer_store::records::Stored;

use super::{Caller, FileKeyError, FileKeys, TRIES_MAX};
use crate::domain::events::{Action, Actor, Event, KeyUse};
use crate::repo::files::{FileRecord, Space};
use crate::repo::rotations::Rotation;

/// Versions of one key that are kept, at most: as many as an envelope may have stanzas.
const VERSIONS_KEPT_MAX: u32 = 16;
/// Whoever makes a version has this long to do so; after it others look whether there is one to move to.
const MAKING: Duration = Duration::from_mins(1);

/// The versions of a file key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyVersions {
    /// The newest.
    pub newest: u32,
    /// The oldest that was not destroyed.
    pub oldest: u32,
    /// Since when the newest is in use.
    pub since: Timestamp,
    /// Whether what is kept is still being wrapped for it.
    pub moving: bool,
}

impl KeyVersions {
    pub(super) fn of(file: &FileRecord) -> Self {
        let (newest, oldest, since) = (file.version, file.oldest, file.since());
        Self { newest, oldest, since, moving: file.moving_from.is_some() }
    }
}

impl FileKeys {
    /// The versions of a key of the caller's.
    pub async fn key_versions(&self, caller: &Caller, name: &FileName) -> Result<KeyVersions, FileKeyError> {
        Ok(KeyVersions::of(&self.owned(caller, name).await?.file.value))
    }

    /// Gives a key of the caller's another version; with `if_version` only if that is the newest.
    pub async fn rotate(
        &self,
        caller: &Caller,
        name: &FileName,
        if_version: Option<u32>,
    ) -> Result<KeyVersions, FileKeyError> {
        caller.require_second_factor()?;
        for _ in 0..TRIES_MAX {
            let owned = self.owned(caller, name).await?;
            if if_version.is_some_and(|version| version != owned.file.value.version) {
                return Err(FileKeyError::Conflict);
            }
            // A client that has asked for the public key and uploads now would wrap for a version that nobody expects.
            if owned.file.value.covers == Covers::File
                && !self.is_uploaded(owned.space, name, &owned.file).await?
            {
                let message = "is a file that has not been uploaded yet";
                return Err(FileKeyError::Field { field: "name", message });
            }
            // That may have been found out, and noted, just now.
            let owned = self.owned(caller, name).await?;
            let event = |action| Event::new(action).by_user(caller.user).from(&caller.origin);
            if let Some(file) = self.add_version((owned.space, name), &owned.file, event).await? {
                return Ok(KeyVersions::of(&file));
            }
        }
        Err(FileKeyError::Conflict)
    }

    /// Gives a key that has grown old another version; `false` if somebody else did something with it meanwhile.
    pub(super) async fn rotate_by_age(
        &self,
        at: (Space, &FileName),
        read: &Stored<FileRecord>,
    ) -> Result<bool, FileKeyError> {
        let event = |action| Event::new(action).by(Actor::Operator);
        Ok(self.add_version(at, read, event).await?.is_some())
    }

    /// Makes the next version; nothing if the file has changed since it was read.
    async fn add_version(
        &self,
        (space, name): (Space, &FileName),
        read: &Stored<FileRecord>,
        event: impl FnOnce(Action) -> Event,
    ) -> Result<Option<FileRecord>, FileKeyError> {
        let old = &read.value;
        if old.version - old.oldest + 1 >= VERSIONS_KEPT_MAX {
            let what = "versions of this file key";
            return Err(FileKeyError::Limit { what, max: VERSIONS_KEPT_MAX });
        }
        let pair = self.pool.take().await?;
        let now = self.now();
        let mut rotation = Rotation::new((space, name.clone()), old.id, now.plus(MAKING));
        self.rotations.put(&rotation).await?;
        let file = FileRecord {
            version: old.version + 1,
            rotated_at: Some(now),
            moving_from: Some(old.settled()),
            ..old.clone()
        };
        if !self.files.add_key((space, name), read, (&file, &pair)).await? {
            self.pool.put_back(pair);
            return Ok(None);
        }
        // What is remembered of the key knows nothing of its new version.
        self.feed.changes().note();
        let key = KeyUse { file: file.id, name: name.clone(), version: file.version };
        self.events.record(event(Action::FileKeyRotated(key))).await?;
        rotation.taken_until = now;
        self.rotations.put(&rotation).await?;
        self.moved.notify_one();
        Ok(Some(file))
    }
}
