//! Who may use which keys: an owner all of his own, others what is granted to their address or to their role.
//!
//! Nobody else has access, whatever his role: administrators see figures and no values. What an owner shared stays shared
//! when the owner is deactivated: `proto-docs/threat-model.md` says why.

use std::sync::Arc;
use std::time::Duration;

use coffer_api::grants::Permission;
use coffer_api::{AddressHash, Role};
use coffer_core::UserId;
use moka::sync::Cache;
use tokio::time::Instant;

use super::key::{KEY_BYTES_MAX, Key, KeyError};
use super::{Caller, Kv, KvError, Space};
use crate::repo::kv::{GrantRecord, Subject};

/// What was read is believed this long. What was revoked is out of force within 2 s, also for a watcher who looks
/// about once a second, so this is well below.
const BELIEVED: Duration = Duration::from_millis(700);
/// Answers in memory, at most.
const ANSWERS_MAX: u64 = 10_000;
/// Grants of one owner to one subject, at most.
pub(super) const GRANTS_PER_SUBJECT_MAX: usize = 256;

/// The grants that were read lately.
#[derive(Debug)]
pub(super) struct AccessCache(Cache<(UserId, AddressHash, Role), Answer>);

/// The grants to somebody, and since when that is known.
#[derive(Clone, Debug)]
struct Answer {
    asked_at: Instant,
    grants: Arc<Vec<GrantRecord>>,
}

impl AccessCache {
    pub(super) fn new() -> Self {
        Self(Cache::builder().max_capacity(ANSWERS_MAX).time_to_live(BELIEVED).build())
    }

    /// Forgets everything: a grant was changed here.
    pub(super) fn forget(&self) {
        self.0.invalidate_all();
    }
}

/// Something to be used: a key, or all keys that begin with a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    pub(super) name: &'a str,
    pub(super) is_prefix: bool,
}

impl Kv {
    /// What the caller may do with a key, if anything.
    pub async fn access(
        &self,
        caller: &Caller,
        space: Space,
        key: &Key,
    ) -> Result<Option<Permission>, KvError> {
        self.granted(caller, space, Target { name: key.as_str(), is_prefix: false }).await
    }

    pub(super) async fn authorize_read(
        &self,
        caller: &Caller,
        space: Space,
        key: &Key,
    ) -> Result<(), KvError> {
        self.access(caller, space, key).await?.map(drop).ok_or(KvError::Denied)
    }

    pub(super) async fn authorize_write(
        &self,
        caller: &Caller,
        space: Space,
        key: &Key,
    ) -> Result<(), KvError> {
        match self.access(caller, space, key).await? {
            Some(Permission::Write) => Ok(()),
            Some(Permission::Read) => Err(KvError::ReadOnly),
            None => Err(KvError::Denied),
        }
    }

    /// Whether the caller may read all keys that begin with `prefix`.
    pub(super) async fn authorize_prefix(
        &self,
        caller: &Caller,
        space: Space,
        prefix: &str,
    ) -> Result<(), KvError> {
        if prefix.len() > KEY_BYTES_MAX {
            return Err(KeyError::TooLong.into());
        }
        let granted = self.granted(caller, space, Target { name: prefix, is_prefix: true }).await?;
        granted.map(drop).ok_or(KvError::Denied)
    }

    async fn granted(
        &self,
        caller: &Caller,
        space: Space,
        target: Target<'_>,
    ) -> Result<Option<Permission>, KvError> {
        if space == caller.own_space() {
            return Ok(Some(Permission::Write));
        }
        let now = self.0.clock.now();
        let grants = self.grants_of(caller, space).await?;
        let live = grants.iter().filter(|grant| {
            grant.expires_at.is_none_or(|end| now < end) && grant.covers(target.name, target.is_prefix)
        });
        Ok(live.map(|grant| grant.permission).max())
    }

    /// The grants of an owner to the caller, by address and by role.
    async fn grants_of(&self, caller: &Caller, space: Space) -> Result<Arc<Vec<GrantRecord>>, KvError> {
        let (hash, role) = (caller.principal.address_hash, caller.role());
        let key = (space.owner, hash, role);
        if let Some(answer) = self.0.access.0.get(&key)
            && answer.asked_at.elapsed() < BELIEVED
        {
            return Ok(answer.grants);
        }
        let asked_at = Instant::now();
        let (user, role) = (Subject::User(hash), Subject::Role(role));
        let mut grants = self.0.repo.grants_to(space.owner, &user, GRANTS_PER_SUBJECT_MAX).await?;
        grants.extend(self.0.repo.grants_to(space.owner, &role, GRANTS_PER_SUBJECT_MAX).await?);
        let grants = Arc::new(grants);
        self.0.access.0.insert(key, Answer { asked_at, grants: Arc::clone(&grants) });
        Ok(grants)
    }
}
