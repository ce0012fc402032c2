//! Giving others access to keys, and taking it back.
//!
//! A grant is to a blinded address or to a role, for one key or for all that begin with a text. Only the owner gives
//! and takes. Nothing here tells whether an address has an account.

use coffer_core::UserId;
use coffer_core::limits::PAGE_ITEMS_MAX;
use coffer_store::records::Sort;

use super::access::GRANTS_PER_SUBJECT_MAX;
use super::sharing::{Grant, GrantOrder, Grantee, Scope};
use super::{Caller, Kv, KvError};
use crate::repo::kv::grant::{SharedRecord, subject_in};
use crate::repo::kv::{Committed, GrantRecord, Subject};

/// Grants of one owner, at most.
pub const GRANTS_MAX: usize = 1_000;
/// How often a grant is written when others change the same one.
const TRIES_MAX: usize = 8;

impl Kv {
    /// Gives access to keys of the caller's own. A grant of the same keys to the same grantee is replaced.
    pub async fn grant(&self, caller: &Caller, order: &GrantOrder) -> Result<Grant, KvError> {
        order.scope.check()?;
        self.check_expiry(order.expires_at)?;
        let (owner, subject, target) = (caller.id(), order.grantee.subject(), order.scope.target());
        self.ensure_room_for_grant(owner, &subject).await?;
        let shared = SharedRecord { owner, name: target.name.to_owned(), is_prefix: target.is_prefix };
        self.0.shared.add(&subject, &shared, order.expires_at).await?;
        let (email, role) = match &order.grantee {
            Grantee::User { email, .. } => (Some(email.clone()), None),
            Grantee::Role(role) => (None, Some(*role)),
        };
        let record = GrantRecord {
            name: shared.name,
            is_prefix: shared.is_prefix,
            permission: order.permission,
            email,
            role,
            granted_by: caller.id(),
            granted_at: self.0.clock.now(),
            expires_at: order.expires_at,
        };
        for _ in 0..TRIES_MAX {
            let read = self.0.repo.grant(owner, &subject, (target.name, target.is_prefix)).await?;
            let write = (read.map(|read| read.version), &record);
            if let Committed::At(_) = self.0.repo.put_grant(owner, &subject, write).await? {
                self.0.access.forget();
                return view(subject, record);
            }
        }
        Err(KvError::Contended)
    }

    /// Takes access back. It is out of force everywhere within 2 s.
    pub async fn revoke(&self, caller: &Caller, grantee: &Grantee, scope: &Scope) -> Result<(), KvError> {
        scope.check()?;
        let (owner, subject, target) = (caller.id(), grantee.subject(), scope.target());
        let at = (target.name, target.is_prefix);
        self.0.repo.grant(owner, &subject, at).await?.ok_or(KvError::GrantNotFound)?;
        self.0.repo.remove_grant(owner, &subject, at).await?;
        self.0.access.forget();
        let shared = SharedRecord { owner, name: target.name.to_owned(), is_prefix: target.is_prefix };
        self.0.shared.remove(&subject, &shared).await?;
        Ok(())
    }

    /// The live grants that the caller has given; all of them, for there are few.
    pub async fn grants(&self, caller: &Caller) -> Result<Vec<Grant>, KvError> {
        let (mut grants, mut after): (Vec<Grant>, Option<Sort>) = (Vec::new(), None);
        loop {
            let page = self.0.repo.grants(caller.id(), after.as_ref(), PAGE_ITEMS_MAX).await?;
            after = page.items.last().map(|stored| stored.sort.clone());
            for stored in page.items {
                grants.push(view(subject_in(&stored.sort)?, stored.value)?);
            }
            if !page.more {
                return Ok(grants);
            }
        }
    }

    /// Grants made at the same time may go a little beyond the limits.
    async fn ensure_room_for_grant(&self, owner: UserId, subject: &Subject) -> Result<(), KvError> {
        let to_subject = self.0.repo.grants_to(owner, subject, GRANTS_PER_SUBJECT_MAX).await?.len();
        let all = self.0.repo.grants(owner, None, GRANTS_MAX).await?.items.len();
        if to_subject >= GRANTS_PER_SUBJECT_MAX || all >= GRANTS_MAX {
            return Err(KvError::TooManyGrants {
                grants_max: GRANTS_MAX,
                per_subject_max: GRANTS_PER_SUBJECT_MAX,
            });
        }
        Ok(())
    }
}

fn view(subject: Subject, record: GrantRecord) -> Result<Grant, KvError> {
    let grantee = match subject {
        Subject::User(address) => {
            let email = record.email.ok_or_else(|| super::corrupt("a grant to no address"))?;
            Grantee::User { email, address }
        }
        Subject::Role(role) => Grantee::Role(role),
    };
    Ok(Grant {
        grantee,
        scope: Scope::of(record.name, record.is_prefix),
        permission: record.permission,
        granted_at: record.granted_at,
        expires_at: record.expires_at,
    })
}
