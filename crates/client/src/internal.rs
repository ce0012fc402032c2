//! What services ask each other on their internal listeners.

use std::time::Duration;

use coffer_api::identity::{Me, NewSession, User};
use coffer_api::internal::heads::{FenceRequest, HeadsPage, HeadsReplaced, HeadsRequest, ReplaceHeads};
use coffer_api::internal::users::{
    AddressOwner, AddressQuestion, BlindedAddress, ListedUsers, MeAnswer, NamedCode, NamedLogIn,
    NamedLoggedIn, NamedRegistered, NamedRegistration, SessionEnd, UserFacts, UserFactsAnswer, UserListing,
};
use coffer_api::internal::{
    Access, AccessRequest, Done, FeedAnswer, FeedRequest, FileExistsAnswer, FileExistsRequest,
    KeyringRequest, SessionCheck, SessionState, SessionTouch, SessionTouches, SharedName, SharedRequest,
    WrappedKeyring,
};
use coffer_api::paths::internal;
use coffer_api::{AddressHash, Page, WireSecret};
use coffer_core::{EmailAddress, UserId};

use crate::ClientError;
use crate::transport::Transport;

pub use crate::transport::TokenSource;

/// What a user waits for: after this he is told that the service is unavailable.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// The feed is asked again so soon that a slow answer is worth less than a new question.
const FEED_TIMEOUT: Duration = Duration::from_secs(1);
/// Nobody waits for it, and many records are read.
const HEADS_TIMEOUT: Duration = Duration::from_secs(20);
/// A password is checked slowly on purpose, and others may be before it.
const PASSWORD_TIMEOUT: Duration = Duration::from_secs(15);
/// What a service waits for while it starts, and nobody with it.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// The KMS, asked by another service.
#[derive(Clone, Debug)]
pub struct InternalKms {
    transport: Transport,
}

impl InternalKms {
    /// The KMS whose internal listener is at `base`.
    pub fn new(base: &str, tokens: TokenSource) -> Result<Self, ClientError> {
        Ok(Self { transport: Transport::new(base, tokens)? })
    }

    /// The calling service's keyring, sealed for it.
    pub async fn keyring(&self) -> Result<WrappedKeyring, ClientError> {
        self.transport.call(internal::KEYRING, &KeyringRequest {}, START_TIMEOUT).await
    }

    /// What a user's token opens.
    pub async fn check_session(&self, token: &str) -> Result<SessionState, ClientError> {
        let body = SessionCheck { token: WireSecret::from(token) };
        self.transport.call(internal::SESSIONS_CHECK, &body, ANSWER_TIMEOUT).await
    }

    /// Reports when sessions were last used.
    pub async fn touch_sessions(&self, touches: Vec<SessionTouch>) -> Result<(), ClientError> {
        let body = SessionTouches { touches };
        self.transport.call(internal::SESSIONS_TOUCH, &body, ANSWER_TIMEOUT).await.map(|Done {}| ())
    }

    /// Where a name leads for a user.
    pub async fn resolve(&self, request: &AccessRequest) -> Result<Access, ClientError> {
        self.transport.call(internal::ACCESS_RESOLVE, request, ANSWER_TIMEOUT).await
    }

    /// One page of what others shared with a user.
    pub async fn shared(&self, request: &SharedRequest) -> Result<Page<SharedName>, ClientError> {
        self.transport.call(internal::ACCESS_SHARED, request, ANSWER_TIMEOUT).await
    }

    /// What was revoked after a position; without one, where the feed stands now.
    pub async fn feed(&self, after: Option<u64>) -> Result<FeedAnswer, ClientError> {
        self.transport.call(internal::FEED, &FeedRequest { after }, FEED_TIMEOUT).await
    }
}

/// What only the gateway asks.
impl InternalKms {
    /// Asks for an account with a user name.
    pub async fn register(&self, wish: &NamedRegistration) -> Result<NamedRegistered, ClientError> {
        self.transport.call(internal::USERS_REGISTER, wish, PASSWORD_TIMEOUT).await
    }

    /// Completes a registration by its code.
    pub async fn verify_registration(&self, code: &NamedCode) -> Result<User, ClientError> {
        self.transport.call(internal::USERS_REGISTER_VERIFY, code, ANSWER_TIMEOUT).await
    }

    /// The first step of logging in: the password.
    pub async fn log_in(&self, log_in: &NamedLogIn) -> Result<NamedLoggedIn, ClientError> {
        self.transport.call(internal::USERS_LOG_IN, log_in, PASSWORD_TIMEOUT).await
    }

    /// The second step of logging in: the code.
    pub async fn verify_log_in(&self, code: &NamedCode) -> Result<NewSession, ClientError> {
        self.transport.call(internal::USERS_LOG_IN_VERIFY, code, ANSWER_TIMEOUT).await
    }

    /// Ends a session. One that has ended already is no error.
    pub async fn log_out(&self, end: &SessionEnd) -> Result<(), ClientError> {
        self.transport.call(internal::USERS_LOG_OUT, end, ANSWER_TIMEOUT).await.map(|Done {}| ())
    }

    /// Whose session a token opens.
    pub async fn me(&self, token: &str) -> Result<Option<Me>, ClientError> {
        let body = SessionCheck { token: WireSecret::from(token) };
        let answer: MeAnswer = self.transport.call(internal::USERS_ME, &body, ANSWER_TIMEOUT).await?;
        Ok(answer.me)
    }

    /// A page of all users, by number.
    pub async fn list_users(&self, listing: &UserListing) -> Result<ListedUsers, ClientError> {
        self.transport.call(internal::USERS_LIST, listing, ANSWER_TIMEOUT).await
    }

    /// Who users are; at most [`USERS_MAX`](coffer_api::internal::users::USERS_MAX) at once.
    pub async fn user_facts(&self, ids: Vec<UserId>) -> Result<Vec<User>, ClientError> {
        let asked = UserFacts { ids };
        let answer: UserFactsAnswer =
            self.transport.call(internal::USERS_FACTS, &asked, ANSWER_TIMEOUT).await?;
        Ok(answer.users)
    }

    /// An address as grants know it.
    pub async fn blind_address(&self, email: EmailAddress) -> Result<AddressHash, ClientError> {
        let asked = AddressQuestion { email };
        let answer: BlindedAddress =
            self.transport.call(internal::ADDRESSES_BLIND, &asked, ANSWER_TIMEOUT).await?;
        Ok(answer.address_hash)
    }

    /// The user who proved an address.
    pub async fn address_owner(&self, email: EmailAddress) -> Result<Option<UserId>, ClientError> {
        let asked = AddressQuestion { email };
        let answer: AddressOwner =
            self.transport.call(internal::ADDRESSES_OWNER, &asked, ANSWER_TIMEOUT).await?;
        Ok(answer.user_id)
    }
}

/// The data service, asked by the KMS.
#[derive(Clone, Debug)]
pub struct InternalData {
    transport: Transport,
}

impl InternalData {
    /// The data service whose internal listener is at `base`.
    pub fn new(base: &str, tokens: TokenSource) -> Result<Self, ClientError> {
        Ok(Self { transport: Transport::new(base, tokens)? })
    }

    /// Whether a file was uploaded.
    pub async fn file_exists(&self, request: &FileExistsRequest) -> Result<bool, ClientError> {
        let answer: FileExistsAnswer =
            self.transport.call(internal::FILES_EXISTS, request, ANSWER_TIMEOUT).await?;
        Ok(answer.exists)
    }

    /// A page of the heads that are wrapped for old versions of a file key.
    pub async fn old_heads(&self, request: &HeadsRequest) -> Result<HeadsPage, ClientError> {
        self.transport.call(internal::FILES_HEADS, request, HEADS_TIMEOUT).await
    }

    /// Puts heads in the place of others.
    pub async fn replace_heads(&self, request: &ReplaceHeads) -> Result<HeadsReplaced, ClientError> {
        self.transport.call(internal::FILES_HEADS_REPLACE, request, HEADS_TIMEOUT).await
    }

    /// Says which versions of a file key are taken in from now on.
    pub async fn fence(&self, request: &FenceRequest) -> Result<(), ClientError> {
        self.transport.call(internal::FILES_FENCE, request, ANSWER_TIMEOUT).await.map(|Done {}| ())
    }
}
