//! The KMS over HTTP, as the port.

use std::sync::Arc;

use async_trait::async_trait;
use coffer_api::internal::{FeedAnswer, LiveSession, SessionState, SessionTouch, WrappedKeyring};
use coffer_auth::service_token::{ServiceName, ServiceSecret, ServiceTokens};
use coffer_client::{ClientError, InternalKms};
use coffer_core::{Clock, Random};

use crate::kms::{Kms, KmsError};

/// The KMS's internal listener.
#[derive(Clone, Debug)]
pub struct RemoteKms(InternalKms);

impl RemoteKms {
    /// The KMS at `url`, to which its secret proves a service.
    pub fn new(
        url: &str,
        (service, secret): (ServiceName, Arc<ServiceSecret>),
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
    ) -> Result<Self, ClientError> {
        let tokens = ServiceTokens::new(secret, (service, ServiceName::Kms), clock, random);
        let source = Arc::new(move || tokens.current().map_err(Into::into));
        InternalKms::new(url, source).map(Self)
    }

    /// The client, for what only some services ask.
    pub fn client(&self) -> &InternalKms {
        &self.0
    }
}

impl KmsError {
    /// That the KMS could not be asked, while something was being done.
    pub fn of(doing: &'static str) -> impl FnOnce(ClientError) -> Self {
        move |source| Self { doing, source: source.into() }
    }
}

#[async_trait]
impl Kms for RemoteKms {
    async fn keyring(&self) -> Result<WrappedKeyring, KmsError> {
        self.0.keyring().await.map_err(KmsError::of("handing over the keyring"))
    }

    async fn check_session(&self, token: &str) -> Result<Option<LiveSession>, KmsError> {
        match self.0.check_session(token).await.map_err(KmsError::of("checking a session"))? {
            SessionState::Live(session) => Ok(Some(session)),
            SessionState::Ended => Ok(None),
        }
    }

    async fn touch(&self, touches: &[SessionTouch]) -> Result<(), KmsError> {
        self.0.touch_sessions(touches.to_vec()).await.map_err(KmsError::of("taking reports of use"))
    }

    async fn feed(&self, after: Option<u64>) -> Result<FeedAnswer, KmsError> {
        self.0.feed(after).await.map_err(KmsError::of("telling what was revoked"))
    }
}
