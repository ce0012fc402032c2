//! Earlier versions of a key: what there were, how they differ, and bringing one back.

use super::diff::{Difference, comparing_bytes, differences};
use super::key::Key;
use super::memory::Held;
use super::plan::NewValue;
use super::write::Write;
use super::{Caller, Condition, Item, Kv, KvError, Meta, Space};
use crate::repo::kv::{Op, keys};

/// How two versions differ.
#[derive(Debug)]
pub struct Compared {
    /// How.
    pub difference: Difference,
    /// Bytes of the two values.
    pub read_bytes: u64,
    /// The room in memory for it.
    pub held: [Held; 2],
}

impl Kv {
    /// The versions of a key that are kept, the current one first.
    pub async fn history(&self, caller: &Caller, space: Space, key: &Key) -> Result<Vec<Meta>, KvError> {
        self.authorize_read(caller, space, key).await?;
        let current = self.0.repo.get(space.owner, key.as_str()).await?.ok_or(KvError::NotFound)?;
        let head = current.entry()?.head;
        let mut versions = vec![Meta::of(&head, current.version().0)];
        let sorts: Vec<_> =
            head.trail.iter().rev().map(|past| keys::history(key.as_str(), past.revision)).collect();
        let found = self.0.repo.get_many(space.owner, &sorts).await?;
        for (past, stored) in head.trail.iter().rev().zip(found) {
            // What was kept long enough is gone.
            let Some(stored) = stored else { continue };
            versions.push(Meta::of(&stored.entry()?.head, past.revision));
        }
        Ok(versions)
    }

    /// How two versions of a key differ.
    pub async fn diff(
        &self,
        caller: &Caller,
        space: Space,
        key: &Key,
        (from, to): (u64, u64),
    ) -> Result<Compared, KvError> {
        let mut from = self.get(caller, space, key, Some(from)).await?;
        let to = self.get(caller, space, key, Some(to)).await?;
        let bytes = comparing_bytes(&from.value, &to.value);
        let most = usize::try_from(from.meta.plain_bytes).unwrap_or(usize::MAX).saturating_add(bytes);
        let work = move || {
            from.held.ensure(most)?;
            let difference = differences(&from.value, &to.value);
            let read_bytes = from.meta.plain_bytes + to.meta.plain_bytes;
            Ok(Compared { difference, read_bytes, held: [from.held, to.held] })
        };
        self.0.bench.run(bytes as u64, work).await?
    }

    /// Stores an earlier version anew, as the key's next one. It expires when that version was to, if that is still
    /// to come.
    pub async fn restore(
        &self,
        caller: &Caller,
        space: Space,
        key: &Key,
        (version, condition): (u64, Condition),
    ) -> Result<Meta, KvError> {
        self.authorize_write(caller, space, key).await?;
        let Item { meta, value, held: _held } = self.get(caller, space, key, Some(version)).await?;
        let packed = self.pack(&value, meta.encrypt, meta.compressed).await?;
        let now = self.0.clock.now();
        let value = NewValue {
            packed: &packed,
            expires_at: meta.expires_at.filter(|at| now < *at),
            op: Op::Restore,
            revives: None,
        };
        self.write(caller, space, &Write { key, condition, value }).await
    }
}
