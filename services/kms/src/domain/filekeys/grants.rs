//! Giving access and taking it away.
//!
//! Nothing here tells whether an address has an account: a grant is keyed by the blinded address and is the
//! same record either way. The index entry comes first and the grant after it, so a crash in between leaves
//! an entry that means nothing.

use coffer_api::grants::Permission;
use coffer_api::internal::{AccessSubject, FeedEvent};
use coffer_core::{EmailAddress, FileName, Timestamp};
use coffer_store::records::Stored;

use super::{Caller, FileKeyError, FileKeys, REVOKED_KEPT, TRIES_MAX};
use crate::domain::events::Action;
use crate::repo::files::{FileRecord, FileRepo, GrantKey, GrantRecord, Granting, IndexEntry, Space, grantee};

/// Grants that are looked at in one go when expired ones are cleared away.
const CLEAR_PAGE: usize = 256;

/// What an owner wants to give.
#[derive(Clone, Debug)]
pub struct GrantOrder {
    /// Access to this file of his,
    pub name: FileName,
    /// for this address,
    pub grantee: EmailAddress,
    /// to do this,
    pub permission: Permission,
    /// until then, if it is to end by itself.
    pub expires_at: Option<Timestamp>,
}

/// A live grant, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantView {
    /// Who has access.
    pub grantee: EmailAddress,
    /// What for.
    pub permission: Permission,
    /// Since when.
    pub granted_at: Timestamp,
    /// Until when, if it ends by itself.
    pub expires_at: Option<Timestamp>,
}

impl From<GrantRecord> for GrantView {
    fn from(grant: GrantRecord) -> Self {
        let GrantRecord { email, permission, granted_at, expires_at, .. } = grant;
        Self { grantee: email, permission, granted_at, expires_at }
    }
}

/// A file of the caller's, as it was read.
pub(super) struct OwnedFile {
    pub(super) space: Space,
    pub(super) file: Stored<FileRecord>,
}

impl FileKeys {
    /// Gives access to a file of the caller's, or changes what was given before. Giving it to oneself is
    /// refused: an owner has all of it.
    pub async fn grant(&self, caller: &Caller, order: &GrantOrder) -> Result<GrantView, FileKeyError> {
        caller.require_second_factor()?;
        if order.expires_at.is_some_and(|end| end <= self.now()) {
            return Err(FileKeyError::Field { field: "expires_at", message: "must be in the future" });
        }
        for _ in 0..TRIES_MAX {
            let owned = self.owned(caller, &order.name).await?;
            let grantee = self.directory.blind(&order.grantee);
            if grantee == caller.address {
                return Err(FileKeyError::NotOwner);
            }
            let key = GrantKey { space: owned.space, file: owned.file.value.id, grantee };
            let Some(grant) = self.try_grant(order, &owned, &key).await? else { continue };
            let (file, permission, expires_at) = (key.file, grant.permission, grant.expires_at);
            self.record(caller, Action::GrantMade { file, grantee, permission, expires_at }).await?;
            self.feed.append(FeedEvent::AccessChanged(AccessSubject::Address(grantee))).await?;
            return Ok(grant.into());
        }
        Err(FileKeyError::Conflict)
    }

    /// Takes access to a file of the caller's away. What was never given is taken away all the same.
    pub async fn revoke(
        &self,
        caller: &Caller,
        name: &FileName,
        email: &EmailAddress,
    ) -> Result<(), FileKeyError> {
        for _ in 0..TRIES_MAX {
            let owned = self.owned(caller, name).await?;
            let grantee = self.directory.blind(email);
            let key = GrantKey { space: owned.space, file: owned.file.value.id, grantee };
            let Some(read) = self.files.grant(&key).await? else { return Ok(()) };
            let changed = FeedEvent::AccessChanged(AccessSubject::Address(grantee));
            // Told also of what was revoked before: whoever tries again got no answer the first time.
            let ended = self.feed.around(changed, self.end_if_live(&key, &read)).await?;
            if ended {
                return Ok(self.record(caller, Action::GrantRevoked { file: key.file, grantee }).await?);
            }
        }
        Err(FileKeyError::Conflict)
    }

    /// The file of this name, if it is the caller's.
    pub(super) async fn owned(&self, caller: &Caller, name: &FileName) -> Result<OwnedFile, FileKeyError> {
        let space = self.space(caller.user);
        if let Some(file) = self.files.file(space, name).await? {
            let is_own = file.value.owner == caller.user;
            return if is_own { Ok(OwnedFile { space, file }) } else { Err(FileKeyError::NotOwner) };
        }
        let covering = self.files.covering(space, name).await?;
        if covering.is_some_and(|covering| covering.record().owner == caller.user) {
            let message = "has the key of the folder that it is in: share the folder";
            return Err(FileKeyError::Field { field: "name", message });
        }
        Err(FileKeyError::NotOwner)
    }

    /// Writes the grant; nothing if something changed meanwhile.
    async fn try_grant(
        &self,
        order: &GrantOrder,
        owned: &OwnedFile,
        key: &GrantKey,
    ) -> Result<Option<GrantRecord>, FileKeyError> {
        let read = self.files.grant(key).await?;
        let live = read.as_ref().filter(|read| read.value.is_live(self.now()));
        let grant = GrantRecord {
            email: order.grantee.clone(),
            permission: order.permission,
            granted_at: live.map_or_else(|| self.now(), |live| live.value.granted_at),
            expires_at: order.expires_at,
            revoked_at: None,
        };
        self.grantees.put(key.grantee, &entry(&order.name, owned, &grant)).await?;
        let grants_max = self.rules.grants_per_file_max;
        let written = (read.as_ref(), &grant);
        let made = self.files.put_grant((key, &order.name), &owned.file, written, grants_max).await;
        // It may end sooner than the one that it replaces, whatever becomes of what follows.
        self.feed.changes().note();
        match made? {
            Granting::Made => {}
            Granting::Changed => return Ok(None),
            Granting::Full if self.clear_expired(owned).await? => return Ok(None),
            Granting::Full => {
                return Err(FileKeyError::Limit { what: "grants of this file", max: grants_max });
            }
        }
        // The entry of a grant that had ended leads nowhere any more.
        if let Some(old) = read.filter(|read| read.value.granted_at != grant.granted_at) {
            self.grantees.delete(key.grantee, &entry(&order.name, owned, &old.value)).await?;
        }
        Ok(Some(grant))
    }

    /// Ends a grant unless it was ended before; `false` if it changed meanwhile.
    async fn end_if_live(&self, key: &GrantKey, read: &Stored<GrantRecord>) -> Result<bool, FileKeyError> {
        if read.value.revoked_at.is_some() { Ok(true) } else { self.end(key, read).await }
    }

    async fn end(&self, key: &GrantKey, read: &Stored<GrantRecord>) -> Result<bool, FileKeyError> {
        let now = self.now();
        Ok(self.files.end_grant(key, read, (now, now.plus(REVOKED_KEPT))).await?)
    }

    /// Makes room by clearing grants of the file that have expired; `false` if there was none.
    async fn clear_expired(&self, owned: &OwnedFile) -> Result<bool, FileKeyError> {
        let file = owned.file.value.id;
        let mut range = FileRepo::grants_of(file);
        let mut cleared = false;
        loop {
            let page = self.files.grants(owned.space, &range, CLEAR_PAGE).await?;
            for grant in &page.items {
                if grant.value.revoked_at.is_none() && !grant.value.is_live(self.now()) {
                    let key = GrantKey { space: owned.space, file, grantee: grantee(&grant.sort)? };
                    cleared |= self.end(&key, grant).await?;
                }
            }
            match page.items.last().filter(|_| page.more) {
                Some(last) => range = range.after(&last.sort),
                None => return Ok(cleared),
            }
        }
    }
}

fn entry(name: &FileName, owned: &OwnedFile, grant: &GrantRecord) -> IndexEntry {
    let FileRecord { id, owner, .. } = owned.file.value;
    IndexEntry { name: name.clone(), granted_at: grant.granted_at, owner, file: id, space: owned.space }
}
