//! Moving what is kept to the current version of its file key, in the background.
//!
//! The KMS drives: it pages through the heads that the data service has, wraps them anew and has them put in place, each
//! under compare-and-set. Every step can be done twice and by several processes; what others change meanwhile is looked at
//! again. Interrupted anywhere, each head is for the one version or for the other, and both open.
//!
//! The road not taken: the data service asks for heads to be wrapped anew. Then whoever has its credential has something
//! that takes wrapped keys and gives others.

use std::sync::Arc;
use std::time::Duration;

use coffer_api::internal::heads::{HeadsRequest, KeptHead, NewHead, ReplaceHeads};
use coffer_core::FileName;
use coffer_store::records::{Stored, Version};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::rewrap::{Rewrapped, Target};
use super::{FileKeyError, FileKeys, TRIES_MAX};
use crate::repo::files::{FileRecord, Space};
use crate::repo::rotations::Rotation;

/// How often it is looked whether there is something to move that nobody has told of.
const LOOK: Duration = Duration::from_secs(10);
/// Whoever moves has a key for this long, and says so again before that is over.
const TAKEN: Duration = Duration::from_mins(1);
/// What fails is tried again after this time.
const AGAIN: Duration = Duration::from_secs(5);
/// Keys that are looked at in one go.
const PAGE: usize = 100;
/// Heads that are wrapped anew at the same time.
const REWRAPS: usize = 8;
/// Heads that are put in place by one call.
const HEADS_PER_CALL: usize = 32;

/// What came of going through the heads once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pass {
    /// Heads that are for the current version now.
    pub(super) moved: usize,
    /// Heads that somebody changed meanwhile.
    pub(super) changed: usize,
    /// Heads that cannot be wrapped anew.
    pub(super) broken: usize,
}

/// A key that this process moves to, until it is over.
pub(super) struct Held {
    rotation: Rotation,
    version: Version,
}

impl FileKeys {
    /// Moves what there is to move, until it is dropped.
    pub async fn keep_moving(self: Arc<Self>) {
        loop {
            // What was told of meanwhile is there at once.
            let _ = tokio::time::timeout(LOOK, self.moved.notified()).await;
            if let Err(error) = self.move_all().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "moving files to new keys");
            }
        }
    }

    /// Moves to every key that has a new version, as far as nobody else does; says how many are done.
    pub async fn move_all(&self) -> Result<usize, FileKeyError> {
        let (mut done, mut after) = (0, None);
        loop {
            let page = self.rotations.page(after.as_ref(), PAGE).await?;
            for found in &page {
                done += usize::from(self.move_one(found).await?);
            }
            after = page.last().filter(|_| page.len() == PAGE).map(|last| last.sort.clone());
            if after.is_none() {
                return Ok(done);
            }
        }
    }

    async fn move_one(&self, found: &Stored<Rotation>) -> Result<bool, FileKeyError> {
        if found.value.taken_until > self.now() {
            return Ok(false);
        }
        let Some(mut held) = self.hold(found.version, &found.value).await? else { return Ok(false) };
        match self.move_to(&mut held).await {
            Ok(true) => {
                self.rotations.remove(held.version, &held.rotation).await?;
                Ok(true)
            }
            Ok(false) => {
                self.let_go(&held).await?;
                Ok(false)
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    file = %held.rotation.file,
                    "a file key's files were not all moved to its new version; it goes on later"
                );
                self.let_go(&held).await?;
                Ok(false)
            }
        }
    }

    async fn hold(&self, read: Version, rotation: &Rotation) -> Result<Option<Held>, FileKeyError> {
        let rotation = Rotation { taken_until: self.now().plus(TAKEN), ..rotation.clone() };
        let version = self.rotations.change(read, &rotation).await?;
        Ok(version.map(|version| Held { rotation, version }))
    }

    async fn let_go(&self, held: &Held) -> Result<(), FileKeyError> {
        let rotation = Rotation { taken_until: self.now().plus(AGAIN), ..held.rotation.clone() };
        self.rotations.change(held.version, &rotation).await?;
        Ok(())
    }

    /// Moves everything to the current version of one key; whether nothing is left to do.
    async fn move_to(&self, held: &mut Held) -> Result<bool, FileKeyError> {
        let (space, name) = (held.rotation.space(), held.rotation.name.clone());
        for _ in 0..TRIES_MAX {
            let file =
                self.files.file(space, &name).await?.filter(|file| file.value.id == held.rotation.file);
            let Some(file) = file else { return Ok(true) };
            if file.value.moving_from.is_none() {
                return Ok(true);
            }
            let target = self.target(space, file.value.clone()).await?;
            let pass = self.pass((&target, &name), Some(held)).await?;
            if pass.changed > 0 {
                continue;
            }
            if pass.broken > 0 {
                tracing::error!(
                    file = %file.value.id, heads = pass.broken,
                    "the data service has heads that are not what was sealed; the old versions of the key stay"
                );
            }
            let settled = FileRecord { moving_from: None, ..file.value.clone() };
            if self.files.change_file((space, &name), &file, (&settled, 0..0)).await? {
                self.feed.changes().note();
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Goes through the heads that are for old versions of this key once, and moves them.
    pub(super) async fn pass(
        &self,
        (target, name): (&Target, &FileName),
        mut held: Option<&mut Held>,
    ) -> Result<Pass, FileKeyError> {
        let mut request = heads_of(target, name);
        let mut pass = Pass::default();
        loop {
            let page = self.uploads.old_heads(&request).await.map_err(FileKeyError::Uploads)?;
            let rewrapped = stream::iter(page.items).map(|kept| self.anew(target, kept));
            let rewrapped: Vec<_> = rewrapped.buffered(REWRAPS).try_collect().await?;
            pass.broken += rewrapped.iter().flatten().filter(|one| one.is_err()).count();
            let heads: Vec<NewHead> = rewrapped.into_iter().flatten().flatten().collect();
            for items in heads.chunks(HEADS_PER_CALL) {
                let replace = ReplaceHeads { space: target.space.0, items: items.to_vec() };
                let done = self.uploads.replace_heads(&replace).await.map_err(FileKeyError::Uploads)?;
                pass.moved += done.replaced;
                pass.changed += items.len().saturating_sub(done.replaced);
            }
            request.cursor = page.next_cursor;
            if request.cursor.is_none() {
                return Ok(pass);
            }
            if let Some(held) = held.as_deref_mut() {
                self.hold_on(held).await?;
            }
        }
    }

    /// What is to take the place of a head: nothing, if it may stay; an error within, if it cannot be wrapped anew.
    async fn anew(
        &self,
        target: &Target,
        kept: KeptHead,
    ) -> Result<Option<Result<NewHead, ()>>, FileKeyError> {
        let rewrapped = self.rewrap(target, &kept).await?;
        let KeptHead { file_name, tag, .. } = kept;
        Ok(match rewrapped {
            Rewrapped::Anew(wrapped) => Some(Ok(NewHead { file_name, tag, wrapped })),
            Rewrapped::Nothing => None,
            Rewrapped::Broken => Some(Err(())),
        })
    }

    /// Says again that this process moves, if that was a while ago.
    async fn hold_on(&self, held: &mut Held) -> Result<(), FileKeyError> {
        if held.rotation.taken_until.since(self.now()) > TAKEN / 2 {
            return Ok(());
        }
        match self.hold(held.version, &held.rotation).await? {
            Some(again) => *held = again,
            None => return Err(FileKeyError::Conflict),
        }
        Ok(())
    }
}

/// What the data service is asked for.
pub(super) fn heads_of(target: &Target, name: &FileName) -> HeadsRequest {
    let Target { space: Space(space), file, .. } = target;
    let (file_id, covers, below) = (file.id, file.covers, file.version);
    HeadsRequest { space: *space, file_id, name: name.clone(), covers, below, cursor: None }
}
