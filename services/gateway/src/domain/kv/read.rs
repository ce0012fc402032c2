//! Reading a value.

use coffer_compression::FRAME_OVERHEAD_BYTES;
use coffer_core::UserId;

use super::key::Key;
use super::value::unpack;
use super::{Caller, Item, Kv, KvError, Meta, Space};
use crate::repo::kv::{Entry, Head, StoredEntry, keys};

/// A value whose parts went while it was read is looked for anew this often.
const READS_MAX: usize = 4;

impl Kv {
    /// The value of a key, or an earlier version of it. The current value is one round trip, a large one two.
    pub async fn get(
        &self,
        caller: &Caller,
        space: Space,
        key: &Key,
        version: Option<u64>,
    ) -> Result<Item, KvError> {
        self.authorize_read(caller, space, key).await?;
        for _ in 0..READS_MAX {
            let stored = self.0.repo.get(space.owner, key.as_str()).await?.ok_or(KvError::NotFound)?;
            let found = match version {
                Some(version) => {
                    self.get_version((caller.id(), space.owner), key, (&stored, version)).await?
                }
                None => self.item((caller.id(), space.owner), key, (&stored, stored.version().0)).await?,
            };
            if let Some(item) = found {
                return Ok(item);
            }
        }
        Err(KvError::Contended)
    }

    /// What is known of a key, without its value.
    pub async fn meta(&self, caller: &Caller, space: Space, key: &Key) -> Result<Meta, KvError> {
        self.authorize_read(caller, space, key).await?;
        let stored = self.0.repo.get(space.owner, key.as_str()).await?.ok_or(KvError::NotFound)?;
        Ok(Meta::of(&stored.entry()?.head, stored.version().0))
    }

    async fn get_version(
        &self,
        (reader, owner): (UserId, UserId),
        key: &Key,
        (current, version): (&StoredEntry, u64),
    ) -> Result<Option<Item>, KvError> {
        let head = current.entry()?.head;
        if head.version == version {
            return self.item((reader, owner), key, (current, current.version().0)).await;
        }
        let revision = revision_of(&head, version).ok_or(KvError::VersionNotFound)?;
        let sorts = [keys::history(key.as_str(), revision)];
        let past = self.0.repo.get_many(owner, &sorts).await?.pop().flatten();
        let past = past.ok_or(KvError::VersionNotFound)?;
        // The seal binds a past to its key; which version of which life of the key it is, it says itself.
        let said = past.entry()?.head;
        if (said.version, said.created_at) != (version, head.created_at) {
            return Err(KvError::VersionNotFound);
        }
        self.item((reader, owner), key, (&past, revision)).await
    }

    /// The item in an entry, read by `reader`; nothing if its parts are gone.
    pub(super) async fn item(
        &self,
        (reader, owner): (UserId, UserId),
        key: &Key,
        (stored, revision): (&StoredEntry, u64),
    ) -> Result<Option<Item>, KvError> {
        let Entry { head, inline } = stored.entry()?;
        let meta = Meta::of(&head, revision);
        let held = self.hold(reader, meta.plain_bytes).await?;
        let frame_bytes = usize::try_from(head.stored_bytes).unwrap_or(0) + FRAME_OVERHEAD_BYTES;
        let opened = match (inline, head.parts) {
            (Some(frame), _) if !held.is_counted() => Ok((unpack(&head, frame)?, held)),
            (Some(frame), _) => {
                let frame = frame.to_vec();
                self.0.bench.run(meta.plain_bytes, move || Ok((unpack(&head, &frame)?, held))).await?
            }
            (None, Some(parts)) => {
                let Some(parts) = self.0.repo.parts(owner, key.as_str(), parts).await? else {
                    return Ok(None);
                };
                let open = move || Ok((unpack(&head, &parts.put_together(frame_bytes)?)?, held));
                self.0.bench.run(meta.plain_bytes, open).await?
            }
            (None, None) => Err(super::corrupt("an entry has no value").into()),
        };
        opened.map(|(value, held)| Some(Item { meta, value, held }))
    }
}

/// The revision that an earlier version had, if it may be kept.
pub(super) fn revision_of(current: &Head, version: u64) -> Option<u64> {
    let back = usize::try_from(current.version.checked_sub(version)?).ok()?;
    let at = current.trail.len().checked_sub(back)?;
    current.trail.get(at).map(|past| past.revision)
}
