//! What services ask each other on their internal listeners.

use std::time::Duration;

use coffer_api::internal::{
    Access, AccessRequest, Done, FeedAnswer, FeedRequest, FileExistsAnswer, FileExistsRequest,
    KeyringRequest, SessionCheck, SessionState, SessionTouch, SessionTouches, SharedName, SharedRequest,
    WrappedKeyring,
};
use coffer_api::paths::internal;
use coffer_api::{Page, WireSecret};

use crate::ClientError;
use crate::transport::Transport;

pub use crate::transport::TokenSource;

/// What a user waits for: after this he is told that the service is unavailable.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// The feed is asked again so soon that a slow answer is worth less than a new question.
const FEED_TIMEOUT: Duration = Duration::from_secs(1);
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
}
