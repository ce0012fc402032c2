//! What others did with a file key: one summary for each of them, beside the file.
//!
//! The key is `use` / file id / user id. The trace of security events tells each use; this tells the owner the sum without
//! reading the trace.

use coffer_core::{FileId, Timestamp, UserId};
use coffer_store::records::{Page, SealedCommit, Sort, SortRange, StoreError, Stored};
use serde::{Deserialize, Serialize};

use super::{FileRepo, Space, corrupt};

/// What somebody did with a key, in all or since he was last asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseRecord {
    /// The first time.
    pub first_at: Timestamp,
    /// The last time.
    pub last_at: Timestamp,
    /// How often something was unwrapped.
    pub unwraps: u64,
    /// How often the private key was handed out.
    pub exports: u64,
    /// The newest version of the key that was handed out.
    #[serde(default)]
    pub exported_version: Option<u32>,
    /// The latest version of a file's content that was opened.
    #[serde(default)]
    pub content_version: Option<u64>,
}

impl UseRecord {
    /// Both together.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            first_at: self.first_at.min(other.first_at),
            last_at: self.last_at.max(other.last_at),
            unwraps: self.unwraps.saturating_add(other.unwraps),
            exports: self.exports.saturating_add(other.exports),
            exported_version: self.exported_version.max(other.exported_version),
            content_version: self.content_version.max(other.content_version),
        }
    }
}

/// Whose uses of which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UseKey {
    /// The file's name space.
    pub space: Space,
    /// The file.
    pub file: FileId,
    /// Who used its key.
    pub user: UserId,
}

/// How often adding is tried while others add.
const TRIES_MAX: usize = 8;

fn sort(key: &UseKey) -> Sort {
    Sort::of("use").and(key.file.as_bytes()).and(key.user.as_bytes()).build()
}

impl FileRepo {
    /// Adds uses to what is known; `false` if others did so again and again meanwhile.
    pub(crate) async fn add_uses(&self, key: &UseKey, uses: &UseRecord) -> Result<bool, StoreError> {
        let (partition, sort) = (key.space.partition(), sort(key));
        for _ in 0..TRIES_MAX {
            let read: Option<Stored<UseRecord>> = self.store.get_as(&partition, &sort).await?;
            let commit = match &read {
                Some(read) => SealedCommit::new().at_version(&sort, read.version).put_as(
                    &sort,
                    &read.value.and(uses),
                    None,
                ),
                None => SealedCommit::new().absent(&sort).put_as(&sort, uses, None),
            };
            if self.store.commit(&partition, commit).await?.is_committed() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// All uses of a file key, as a range to page through.
    pub fn uses_of(file: FileId) -> SortRange {
        Sort::of("use").and(file.as_bytes()).children()
    }

    /// A page of uses, each with who it was.
    pub async fn uses(
        &self,
        space: Space,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<(UserId, Stored<UseRecord>)>, StoreError> {
        let page = self.store.scan_as(&space.partition(), range, limit).await?;
        let items = page.items.into_iter().map(|uses: Stored<UseRecord>| {
            let parts = uses.sort.parts().unwrap_or_default();
            let user = parts.get(2).and_then(|part| <[u8; 16]>::try_from(part.as_slice()).ok());
            Ok((UserId::from_bytes(user.ok_or_else(|| corrupt("a use is by nobody"))?), uses))
        });
        Ok(Page { items: items.collect::<Result<_, StoreError>>()?, more: page.more })
    }
}
