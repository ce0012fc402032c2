//! Sessions that were live a moment ago, without a look at the store.
//!
//! For unwrapping alone, which the same session asks for many times a second, and which releases one
//! content key. Everything else asks [`check_session`](Identity::check_session): what hands out a private
//! key for good, what changes anything, and the other services, whose own two seconds begin where the
//! store is read.
//!
//! See [`Recent`](crate::domain::recent::Recent) for why an ended session is over here within a second, and
//! at once where it was ended.

use coffer_api::SessionHash;
use coffer_auth::Principal;
use coffer_auth::token::OpaqueToken;
use coffer_core::Timestamp;

use super::error::IdentityError;
use super::parts::Identity;
use super::sessions::LiveUser;

/// A session that was live when it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct LatelyLive {
    principal: Principal,
    /// From then on the store must be asked, whatever is remembered.
    until: Timestamp,
}

impl Identity {
    /// Whose live session `token` opens, by what was read at most a second ago.
    pub async fn lately_live(&self, token: &str) -> Result<Option<Principal>, IdentityError> {
        let Some(token) = OpaqueToken::parse(token) else { return Ok(None) };
        let session = SessionHash::from_bytes(token.hash());
        if let Some(lately) = self.lately.get(&session).filter(|lately| self.now() < lately.until) {
            return Ok(Some(lately.principal));
        }
        let before = self.lately.before();
        let Some(live) = self.live_user(session).await? else { return Ok(None) };
        let lately = LatelyLive { principal: live.principal(), until: self.lately_until(&live) };
        self.lately.keep(session, before, lately);
        Ok(Some(lately.principal))
    }

    /// Makes void what is remembered of all sessions.
    pub fn forget_lately(&self) {
        self.feed.changes().note();
    }

    /// Ends of their own are kept to the millisecond, and a use that is to be written down goes to the store.
    fn lately_until(&self, live: &LiveUser) -> Timestamp {
        self.touch_due_at(&live.stored).min(live.idle_expires_at).min(live.stored.expires_at)
    }
}
