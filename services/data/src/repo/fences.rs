//! Which versions of a file key are still taken in.
//!
//! Before the KMS destroys old versions, it has them fenced here: every commit that publishes an envelope is guarded on
//! the fence, so no upload that began before comes to be kept when nothing can open it any more.

use coffer_core::{FileId, UserId};
use coffer_crypto::envelope::Head;
use coffer_store::records::{Opened, SealedCommit, StoreError, Version};
use serde::{Deserialize, Serialize};

use super::files::FileRepo;
use super::record::{fence_key, partition};

/// The oldest version of a file key that is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fence {
    pub(crate) oldest: u32,
}

/// The fences of some file keys, as they were read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fences(Vec<(FileId, Option<(Version, Fence)>)>);

impl Fences {
    pub(super) fn of(files: &[FileId], found: Vec<Option<Opened>>) -> Result<Self, StoreError> {
        let fence = |(file, record): (&FileId, Option<Opened>)| {
            let fence = record.map(|record| {
                let version = record.version;
                record.decode::<Fence>().map(|record| (version, record.value))
            });
            Ok((*file, fence.transpose()?))
        };
        files.iter().zip(found).map(fence).collect::<Result<_, _>>().map(Self)
    }

    /// Whether any of the stanzas may still be opened.
    pub(crate) fn admit(&self, head: &Head) -> bool {
        head.stanzas.stanzas().iter().any(|stanza| {
            let fence = self.0.iter().find(|(file, _)| *file == stanza.file_key);
            fence.and_then(|(_, fence)| *fence).is_none_or(|(_, fence)| stanza.version >= fence.oldest)
        })
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn guard(&self, commit: SealedCommit) -> SealedCommit {
        self.0.iter().fold(commit, |commit, (file, fence)| match fence {
            Some((version, _)) => commit.at_version(&fence_key(*file), *version),
            None => commit.absent(&fence_key(*file)),
        })
    }
}

impl FileRepo {
    /// From now on only versions of this file key from this one on are taken in.
    pub(crate) async fn fence(&self, space: UserId, file: FileId, fence: Fence) -> Result<(), StoreError> {
        let commit = SealedCommit::new().put_as(&fence_key(file), &fence, None);
        self.records.commit(&partition(space), commit).await.map(drop)
    }
}
