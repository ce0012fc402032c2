//! Destroying old versions of a file key: their private halves are removed, for good.
//!
//! First the data service is told to take nothing in any more that is wrapped for them, then everything that is kept is
//! looked at once more. So no upload that is under way comes to be kept when nothing can open it.

use coffer_api::internal::heads::FenceRequest;
use coffer_core::FileName;

use super::moving::Pass;
use super::rotate::KeyVersions;
use super::{Caller, FileKeyError, FileKeys, TRIES_MAX};
use crate::domain::events::{Action, KeyUse};
use crate::repo::files::FileRecord;

/// Which versions go.
#[derive(Clone, Copy, Debug, Default)]
pub struct Destruction {
    /// Up to this one; all but the newest, if none is given.
    pub up_to: Option<u32>,
    /// Even if something needs them that is kept.
    pub force: bool,
}

impl FileKeys {
    /// Destroys versions of a key of the caller's.
    pub async fn destroy(
        &self,
        caller: &Caller,
        name: &FileName,
        Destruction { up_to, force }: Destruction,
    ) -> Result<KeyVersions, FileKeyError> {
        caller.require_second_factor()?;
        for _ in 0..TRIES_MAX {
            let owned = self.owned(caller, name).await?;
            let file = &owned.file.value;
            let up_to = up_to.unwrap_or(file.version - 1);
            if up_to >= file.version {
                let message = "is the newest version: rotate the key first";
                return Err(FileKeyError::Field { field: "up_to", message });
            }
            if up_to < file.oldest {
                return Ok(KeyVersions::of(file));
            }
            let fence = |oldest| FenceRequest { space: owned.space.0, file_id: file.id, oldest };
            self.uploads.fence(&fence(up_to + 1)).await.map_err(FileKeyError::Uploads)?;
            if !force {
                let free = self.free_of(name, (&owned.space, file), up_to).await;
                if !matches!(free, Ok(true)) {
                    self.uploads.fence(&fence(file.oldest)).await.map_err(FileKeyError::Uploads)?;
                    free?;
                    return Err(FileKeyError::KeyInUse);
                }
            }
            let oldest = up_to + 1;
            // What is handed out must be there.
            let moving_from =
                file.moving_from.map(|from| from.max(oldest)).filter(|from| *from < file.version);
            let rest = FileRecord { oldest, moving_from, ..file.clone() };
            let destroyed = file.oldest..oldest;
            // Before it is done: what happened is known even if nobody is left to say so.
            let key = KeyUse { file: file.id, name: name.clone(), version: up_to };
            self.record(caller, Action::FileKeyDestroyed(key)).await?;
            if self.files.change_file((owned.space, name), &owned.file, (&rest, destroyed.clone())).await? {
                self.feed.changes().note();
                destroyed.for_each(|version| self.opener.forget((file.id, version)));
                return Ok(KeyVersions::of(&rest));
            }
        }
        Err(FileKeyError::Conflict)
    }

    /// Whether nothing that is kept needs these versions, now that what can be moved was moved.
    async fn free_of(
        &self,
        name: &FileName,
        (space, file): (&crate::repo::files::Space, &FileRecord),
        up_to: u32,
    ) -> Result<bool, FileKeyError> {
        // While others still move, more may be for old versions than this would see moved.
        if file.moving_from.is_some_and(|from| from <= up_to) {
            self.moved.notify_one();
            return Ok(false);
        }
        let target = self.target(*space, file.clone()).await?;
        for _ in 0..TRIES_MAX {
            match self.pass((&target, name), None).await? {
                Pass { broken: 1.., .. } => return Ok(false),
                Pass { moved: 0, changed: 0, .. } => return Ok(true),
                _ => {}
            }
        }
        Ok(false)
    }
}
