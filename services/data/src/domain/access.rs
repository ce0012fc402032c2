//! Whose file a name means to a caller, beyond the caller's own.
//!
//! The KMS alone decides that. Answers that allow something are kept in memory under the rule of
//! [`Freshness`]; answers that refuse are not, so that a grant works as soon as it is made.

use std::sync::Arc;

use coffer_api::AddressHash;
use coffer_api::grants::Permission;
use coffer_api::internal::{Access, AccessRequest};
use coffer_auth::Principal;
use coffer_core::{Clock, EmailAddress, FileName, Timestamp, UserId};
use coffer_kms_link::{Dependent, Freshness, KmsError, Mark, Sharded};

use super::kms::FileKms;

/// Answers kept in memory, at most.
pub const ANSWERS_MAX: usize = 100_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Question {
    user_id: UserId,
    file_name: FileName,
    owner: Option<EmailAddress>,
    permission: Permission,
}

#[derive(Clone, Copy, Debug)]
struct Allowed {
    space: UserId,
    expires_at: Option<Timestamp>,
    address_hash: AddressHash,
    asked_at: Mark,
}

impl Allowed {
    fn is_live(&self, now: Timestamp) -> bool {
        self.asked_at.is_young() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// Whose file a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// The file of that name in this space, which the caller may use.
    In(UserId),
    /// There is nothing of that name for the caller.
    NotFound,
    /// The caller may not use it.
    Denied,
}

/// The access that this process knows of.
#[derive(Debug)]
pub struct AccessCache {
    kms: Arc<dyn FileKms>,
    clock: Arc<dyn Clock>,
    freshness: Arc<Freshness>,
    cache: Sharded<Question, Allowed>,
}

impl AccessCache {
    /// An empty cache.
    pub fn new(kms: Arc<dyn FileKms>, clock: Arc<dyn Clock>, freshness: Arc<Freshness>) -> Self {
        Self { kms, clock, freshness, cache: Sharded::new(ANSWERS_MAX) }
    }

    /// Whose file `file_name` means to `caller`. An answer from memory needs the feed to be fresh still,
    /// however fresh it was when the session was checked.
    pub async fn resolve(
        &self,
        caller: &Principal,
        file_name: &FileName,
        owner: Option<&EmailAddress>,
        permission: Permission,
    ) -> Result<Resolved, KmsError> {
        let key = Question {
            user_id: caller.user_id,
            file_name: file_name.clone(),
            owner: owner.cloned(),
            permission,
        };
        if self.freshness.is_fresh()
            && let Some(allowed) = self.cache.get(&key)
            && allowed.is_live(self.clock.now())
        {
            return Ok(Resolved::In(allowed.space));
        }
        let mark = self.freshness.mark();
        let request = AccessRequest {
            user_id: key.user_id,
            file_name: file_name.clone(),
            owner_email: owner.cloned(),
            permission,
        };
        let (space, expires_at) = match self.kms.resolve(&request).await? {
            Access::Found { space, expires_at } => (space, expires_at),
            Access::NotFound => return Ok(Resolved::NotFound),
            Access::Denied => return Ok(Resolved::Denied),
        };
        let allowed = Allowed { space, expires_at, address_hash: caller.address_hash, asked_at: mark };
        if !allowed.is_live(self.clock.now()) {
            return Ok(Resolved::Denied);
        }
        self.cache.insert_if(key, allowed, || self.freshness.is_unchanged_since(mark));
        Ok(Resolved::In(space))
    }
}

impl Dependent for AccessCache {
    fn retain(&self, keep: &mut dyn FnMut(UserId, &AddressHash) -> bool) {
        self.cache.retain(|question, allowed| keep(question.user_id, &allowed.address_hash));
    }
}
