//! Copying a key, and giving it another name.

use std::sync::Arc;

use super::key::Key;
use super::known::Known;
use super::plan::{NewValue, Plan};
use super::value::Packed;
use super::write::{TRIES_MAX, Verdict, Write};
use super::{Caller, Condition, Item, Kv, KvError, Meta, Space};
use crate::repo::kv::Op;

/// From where to where.
#[derive(Clone, Copy, Debug)]
pub struct Route<'a> {
    /// The key that there is.
    pub from: &'a Key,
    /// The key that there will be.
    pub to: &'a Key,
    /// What must hold for the latter.
    pub condition: Condition,
}

impl Kv {
    /// Copies a value, with its expiry and not its history, also from one space into another.
    pub async fn copy(
        &self,
        caller: &Caller,
        (from, to): (Space, Space),
        route: Route<'_>,
    ) -> Result<Meta, KvError> {
        self.authorize_write(caller, to, route.to).await?;
        let item = self.get(caller, from, route.from, None).await?;
        self.admit(&item.value)?;
        let packed = self.pack(&item.value, item.meta.encrypt, item.meta.compressed).await?;
        let value = copied(&item, &packed);
        self.write(caller, to, &Write { key: route.to, condition: route.condition, value }).await
    }

    /// Gives a key another name, in one commit. The history stays with the old name, which goes to the trash.
    pub async fn rename(&self, caller: &Caller, space: Space, route: Route<'_>) -> Result<Meta, KvError> {
        self.authorize_write(caller, space, route.from).await?;
        self.authorize_write(caller, space, route.to).await?;
        if route.from == route.to {
            let before = self.read_before(space, route.from).await?;
            if before.known.is_none() {
                return Err(KvError::NotFound);
            }
            before.judge(route.condition)?;
            return self.meta(caller, space, route.from).await;
        }
        for tried in 0..TRIES_MAX {
            let stored = self.0.repo.get(space.owner, route.from.as_str()).await?.ok_or(KvError::NotFound)?;
            let known = Arc::new(Known::read(&stored)?);
            let people = (caller.id(), space.owner);
            let Some(item) = self.item(people, route.from, (&stored, known.version.0)).await? else {
                continue;
            };
            let target = self.read_before(space, route.to).await?;
            let Verdict::Go(over) = target.judge(route.condition)? else {
                return Err(KvError::Conflict { revision: None });
            };
            let packed = self.pack(&item.value, item.meta.encrypt, item.meta.compressed).await?;
            let mut plan = Plan::new(self.context(Some(caller)));
            plan.delete(route.from, &known);
            let head = plan.put(route.to, over.as_deref(), &copied(&item, &packed))?;
            if let Some(version) = self.commit(space, plan.make()?).await? {
                return Ok(Meta::of(&head, version.0));
            }
            self.pause(tried).await;
        }
        Err(KvError::Contended)
    }
}

fn copied<'a>(item: &Item, packed: &'a Packed) -> NewValue<'a> {
    NewValue { packed, expires_at: item.meta.expires_at, op: Op::Put, revives: None }
}
