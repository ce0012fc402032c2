//! The trash: keys that were deleted and can come back.

use coffer_core::limits::PAGE_ITEMS_MAX;
use coffer_core::{Timestamp, UserId};

use super::key::{KEY_BYTES_MAX, Key, KeyError};
use super::plan::{NewValue, Plan};
use super::{Caller, Deleted, Item, Kv, KvError, Meta, Space};
use crate::repo::kv::{Op, Tombstone, keys};

/// A deleted key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trashed {
    /// The key.
    pub key: String,
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// By whom.
    pub deleted_by: UserId,
    /// The last version that it had.
    pub version: u64,
    /// Bytes of its last value.
    pub plain_bytes: u64,
}

/// One page of the trash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrashPage {
    /// Deleted keys, in the order of their names.
    pub items: Vec<Trashed>,
    /// Where to go on, unless this is the last page.
    pub next_cursor: Option<String>,
}

impl Kv {
    /// The caller's deleted keys that begin with `prefix`, from behind `cursor`.
    pub async fn trash(
        &self,
        caller: &Caller,
        prefix: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<TrashPage, KvError> {
        if prefix.len() > KEY_BYTES_MAX {
            return Err(KeyError::TooLong.into());
        }
        if cursor.is_some_and(|cursor| cursor.len() > KEY_BYTES_MAX) {
            return Err(KvError::Cursor);
        }
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        let page = self.0.repo.tombstones(caller.id(), &keys::tombstones(prefix, cursor), limit).await?;
        let next_cursor = page.items.last().filter(|_| page.more).map(|(key, _)| key.clone());
        let items = page.items.into_iter().map(|(key, tombstone)| Trashed {
            key,
            deleted_at: tombstone.deleted_at,
            deleted_by: tombstone.deleted_by,
            version: tombstone.version,
            plain_bytes: tombstone.plain_bytes,
        });
        Ok(TrashPage { items: items.collect(), next_cursor })
    }

    /// Brings a deleted key of the caller's back, with its history. A key that was stored anew is in the way.
    pub async fn restore_from_trash(&self, caller: &Caller, key: &Key) -> Result<Meta, KvError> {
        let space = caller.own_space();
        let _turn = self.0.turns.take(space, key).await;
        let (current, tombstone) = self.0.repo.get_with_tombstone(space.owner, key.as_str()).await?;
        if let Some(current) = current {
            return Err(KvError::Conflict { revision: Some(current.version().0) });
        }
        let (tombstone, version) = tombstone.ok_or(KvError::NotInTrash)?;
        self.ensure_room(space, 1)?;
        let item = self.last_value(space, key, &tombstone).await?;
        let packed = self.pack(&item.value, item.meta.encrypt, item.meta.compressed).await?;
        let value = NewValue {
            packed: &packed,
            expires_at: item.meta.expires_at,
            op: Op::Restore,
            revives: Some(&tombstone),
        };
        let mut plan = Plan::new(self.context(Some(caller)));
        let head = plan.put(key, None, &value)?;
        let sort = keys::tombstone(key.as_str());
        plan.add(2, |commit| commit.at_version(&sort, version).delete(&sort));
        match self.commit(space, plan.make()?).await? {
            Some(version) => Ok(Meta::of(&head, version.0)),
            None => Err(KvError::Conflict { revision: None }),
        }
    }

    /// Removes a deleted key of the caller's for good, with its history.
    pub async fn purge(&self, caller: &Caller, key: &Key) -> Result<Deleted, KvError> {
        let space = caller.own_space();
        let (_, tombstone) = self.0.repo.get_with_tombstone(space.owner, key.as_str()).await?;
        let (tombstone, version) = tombstone.ok_or(KvError::NotInTrash)?;
        let sort = keys::tombstone(key.as_str());
        let mut plan = Plan::new(self.context(Some(caller)));
        plan.add(2, |commit| commit.at_version(&sort, version).delete(&sort));
        plan.tell(key, (Op::Purge, tombstone.version), crate::repo::kv::Delta::default());
        let purged = self.commit(space, plan.make()?).await?.ok_or(KvError::NotInTrash)?;
        // From here on nothing leads to them; what a failure leaves is removed by time.
        self.tidy(space, key, &tombstone.trail).await;
        Ok(Deleted { revision: purged.0, version: tombstone.version })
    }

    async fn last_value(&self, space: Space, key: &Key, tombstone: &Tombstone) -> Result<Item, KvError> {
        let last = tombstone.trail.last().ok_or(KvError::NotInTrash)?;
        let sorts = [keys::history(key.as_str(), last.revision)];
        let stored = self.0.repo.get_many(space.owner, &sorts).await?.pop().flatten();
        let stored = stored.ok_or(KvError::NotInTrash)?;
        // The seal binds it to its key; which version of which life of the key it is, it says itself.
        let said = stored.entry()?.head;
        if (said.version, said.created_at) != (tombstone.version, tombstone.created_at) {
            return Err(super::corrupt("the trash has another version of a key").into());
        }
        let item = self.item((space.owner, space.owner), key, (&stored, last.revision)).await?;
        item.ok_or(KvError::NotInTrash)
    }
}
